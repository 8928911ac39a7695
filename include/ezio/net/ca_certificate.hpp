// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace ezio {

// The certificate of a certificate authority, in PEM, as it goes into a torrent (info["ssl-cert"]): read from
// the file at `path` and written anew, so that nothing else that is in the file, a private key above all,
// gets out with it. Throws Error (ExitStatus::usage) naming --ssl-ca and the file: it cannot be read, holds
// no certificate or more than one, or the certificate may sign no others.
[[nodiscard]] std::string read_ca_certificate(const std::string& path);

} // namespace ezio

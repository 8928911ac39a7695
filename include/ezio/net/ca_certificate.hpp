// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace ezio {

// Reads the certificate of a certificate authority for a torrent (info["ssl-cert"]), in PEM. It is read from
// the file at `path` and encoded again, so that nothing else in the file, such as a private key, becomes part
// of the torrent. Throws Error (ExitStatus::usage) naming --ssl-ca and the file: it cannot be read, contains
// no certificate or more than one, or the certificate may not sign others.
[[nodiscard]] std::string read_ca_certificate(const std::string& path);

} // namespace ezio

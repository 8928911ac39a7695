// SPDX-License-Identifier: GPL-2.0-or-later
//
// At its start a session makes libtorrent read the certificates of all authorities that the host trusts. That
// takes about 40 ms of a CPU, on every target of a lab while the others wait for its first piece. Only HTTPS
// needs them: trackers and web seeds.
#pragma once

#include <libtorrent/add_torrent_params.hpp>

namespace ezio {

[[nodiscard]] bool needs_web_certificates(const lt::add_torrent_params& params);

// Prevents OpenSSL from reading them in this process from now on, unless SSL_CERT_FILE names them. To be
// called before a session exists, while no other thread reads or changes the environment.
void leave_out_web_certificates();

} // namespace ezio

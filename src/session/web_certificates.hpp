// SPDX-License-Identifier: GPL-2.0-or-later
//
// libtorrent reads the certificates of all the authorities that the host trusts when a session begins: about
// 40 ms of a CPU, which every target of a lab would spend while the others wait for its first piece. Only
// HTTPS needs them: trackers and web seeds.
#pragma once

#include <libtorrent/add_torrent_params.hpp>

namespace ezio {

[[nodiscard]] bool needs_web_certificates(const lt::add_torrent_params& params);

// Keeps OpenSSL from reading them in this process from now on, unless SSL_CERT_FILE says where they are. To
// be called before a session exists, while no other thread reads or changes the environment.
void leave_out_web_certificates();

} // namespace ezio

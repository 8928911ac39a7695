// SPDX-License-Identifier: GPL-2.0-or-later
//
// Connects a swarm as a mesh at once. As soon as a peer has announced support for peer exchange (BEP 11), it
// is told which other peers are here. Data that a swarm sends before its members know each other crosses only
// the source's link, and that time is never made up for. libtorrent's own peer exchange sends once a minute,
// and it connects to a peer found in another way, such as by local discovery, at the next full second.
//
// Measured: 16 hosts that know only the source are all connected after 0.4 s; without this, even 4 took 1.1
// to 1.4 s. The last of 16 on 50 Mbit links is complete after 1.15 times the ideal instead of 1.19.
#pragma once

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/socket.hpp>

#include <string>
#include <vector>

namespace ezio {

// A complete peer exchange message with these peers; `extension_id` is the receiver's number for it. Empty if
// there is no peer to name. Link-local addresses are left out, because they mean nothing to other hosts.
[[nodiscard]] std::string introduction(const std::vector<lt::tcp::endpoint>& peers, int extension_id);

// Adds this behaviour to a torrent that is about to be added to a session. Only for torrents whose peers may
// be found by other means than their trackers.
void add_instant_pex(lt::add_torrent_params& params);

} // namespace ezio

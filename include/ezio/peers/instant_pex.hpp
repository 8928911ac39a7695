// SPDX-License-Identifier: GPL-2.0-or-later
//
// A mesh at once: each peer that connects is told who else is here, by peer exchange (BEP 11), the moment it
// has said that it understands that. What a swarm sends before its members know each other crosses the
// source's link alone, and the time is never made up for. libtorrent's own peer exchange speaks once a
// minute; and who was found in another way, by local discovery for one, is connected at its next full second.
//
// Measured: 16 hosts that know the source only are all connected after 0.4 s; without, even 4 took 1.1 to 1.4
// s. The last one of 16 on 50 Mbit links is complete after 1.15 times the ideal instead of 1.19.
#pragma once

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/socket.hpp>

#include <string>
#include <vector>

namespace ezio {

// A peer exchange message with these peers, up to its end; `extension_id` is the receiver's for it. Empty
// when there is nobody to name. Link-local addresses mean nothing to others, and are left out.
[[nodiscard]] std::string introduction(const std::vector<lt::tcp::endpoint>& peers, int extension_id);

// Adds that behaviour to a torrent that is about to be added to a session. For those that may be found by
// others than their trackers.
void add_instant_pex(lt::add_torrent_params& params);

} // namespace ezio

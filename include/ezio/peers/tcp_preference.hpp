// SPDX-License-Identifier: GPL-2.0-or-later
//
// Other clients try uTP first. Refusing it is not enough: Transmission 3.00, for one, waits for ever for an
// answer to it where no uTP peer is around. So uTP is accepted, and a peer that comes by it is disconnected
// and called back by TCP, once; its UDP port is the TCP port that it listens on, too. A peer that comes by
// uTP again could not be reached by TCP, and may stay.
#pragma once

#include <libtorrent/add_torrent_params.hpp>

namespace ezio {

// Adds that behaviour to a torrent that is about to be added to a session.
void prefer_tcp(lt::add_torrent_params& params);

} // namespace ezio

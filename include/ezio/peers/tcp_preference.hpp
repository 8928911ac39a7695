// SPDX-License-Identifier: GPL-2.0-or-later
//
// Prefers TCP to uTP. Other clients try uTP first, and refusing it is not enough: Transmission 3.00, for one,
// waits endlessly for an answer if there is no other uTP peer. So uTP is accepted, and a peer that connects
// by it is disconnected and called back once by TCP; its UDP port is also its TCP listening port. A peer that
// connects by uTP again could not be reached by TCP, and may stay.
#pragma once

#include <libtorrent/add_torrent_params.hpp>

#include <functional>
#include <string>

namespace ezio {

// The address at which a peer listens that was disconnected to be called back, and that does not call itself
// complete. It may be complete when it is called back. Network thread.
using SentAway = std::function<void(const std::string& address)>;

// Adds this behaviour to a torrent that is about to be added to a session.
void prefer_tcp(
    lt::add_torrent_params& params, SentAway sent_away = [](const std::string&) {});

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Translates libtorrent's alerts about peers, trackers and itself into the plain facts of session_events.hpp.
#pragma once

#include "ezio/session/session_events.hpp"

#include <libtorrent/fwd.hpp>

#include <optional>
#include <vector>

namespace ezio {

// Empty for alerts of no interest.
[[nodiscard]] std::optional<SessionEvent> to_event(const lt::alert& alert);

[[nodiscard]] Endpoint address_of(const lt::peer_info& peer);

// Connected peers whose handshake is complete.
[[nodiscard]] std::vector<ConnectedPeer> connected_peers(const lt::torrent_handle& torrent);

} // namespace ezio

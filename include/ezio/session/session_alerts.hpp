// SPDX-License-Identifier: GPL-2.0-or-later
//
// What libtorrent tells of peers, trackers and itself, as the plain facts of session_events.hpp.
#pragma once

#include "ezio/session/session_events.hpp"

#include <libtorrent/fwd.hpp>

#include <optional>
#include <vector>

namespace ezio {

// Empty for what is of no interest.
[[nodiscard]] std::optional<SessionEvent> to_event(const lt::alert& alert);

[[nodiscard]] Endpoint address_of(const lt::peer_info& peer);

// Past their handshakes.
[[nodiscard]] std::vector<ConnectedPeer> connected_peers(const lt::torrent_handle& torrent);

} // namespace ezio

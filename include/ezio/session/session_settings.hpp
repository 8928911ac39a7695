// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/net/addresses.hpp"
#include "ezio/net/network_options.hpp"

#include <libtorrent/fwd.hpp>
#include <libtorrent/ip_filter.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/settings_pack.hpp>

#include <vector>

namespace ezio {

enum class Transport { plain, tls };

// libtorrent's settings for one torrent on a LAN. Each that differs from libtorrent's default has its reason.
[[nodiscard]] lt::settings_pack session_settings(const NetworkOptions& options,
                                                 const std::vector<Endpoint>& listen, Transport transport);

// The initial value of request_seconds().
inline constexpr int first_request_seconds = 1;

// The number of seconds for which blocks should be requested from a peer in advance (request_queue_time),
// given the rate of all peers together. From first_request_seconds to 4.
[[nodiscard]] int request_seconds(double bytes_per_second, unsigned peers);

// The source to give to libtorrent with a peer that should be tried again each time it is named. With any
// other source it gives up for good on a peer that could not be reached three times, such as a host that is
// not switched on yet. For a peer named again by a tracker it forgives one failure.
inline constexpr lt::peer_source_flags_t lasting_source = lt::peer_info::tracker;

// Blocks all peers outside these networks, in and out; blocks none if there are no networks.
[[nodiscard]] lt::ip_filter nobody_but(const std::vector<AddressRange>& allowed);

} // namespace ezio

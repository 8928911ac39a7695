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

// libtorrent's settings for one torrent on a LAN. Each that is not libtorrent's default says why.
[[nodiscard]] lt::settings_pack session_settings(const NetworkOptions& options,
                                                 const std::vector<Endpoint>& listen, Transport transport);

// What a session begins with.
inline constexpr int first_request_seconds = 1;

// For how many seconds of what a peer sends blocks should be asked of it in advance (request_queue_time),
// when everybody together sends so much. From first_request_seconds to 4.
[[nodiscard]] int request_seconds(double bytes_per_second, unsigned peers);

// The source to name to libtorrent with a peer that is to be tried again each time it is named. With any
// other it gives up for good on one that could not be reached three times, a host that is not switched on
// yet; of what a tracker names again it takes one failure back.
inline constexpr lt::peer_source_flags_t lasting_source = lt::peer_info::tracker;

// Nobody but these, in or out; everybody if there are none.
[[nodiscard]] lt::ip_filter nobody_but(const std::vector<AddressRange>& allowed);

} // namespace ezio

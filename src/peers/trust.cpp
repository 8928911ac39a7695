// SPDX-License-Identifier: GPL-2.0-or-later
#include "trust.hpp"

#include <libtorrent/version.hpp>
#if LIBTORRENT_VERSION_NUM >= 20100
#include <libtorrent/aux_/peer_connection.hpp>
#include <libtorrent/aux_/torrent_peer.hpp>
#else
#include <libtorrent/peer_connection.hpp>
#include <libtorrent/torrent_peer.hpp>
#endif

#include <cstring>

namespace ezio {

// UBSan would need the class's type information, which the library hides.
[[gnu::no_sanitize("vptr")]] void restore_trust(const lt::peer_connection_handle& connection)
{
    constexpr int most_points = 7;
    static const bool is_as_compiled = std::strcmp(lt::version(), LIBTORRENT_VERSION) == 0;
    const auto native = connection.native_handle();
    if (is_as_compiled && native && native->peer_info_struct() != nullptr) {
        native->peer_info_struct()->trust_points = most_points;
    }
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Magnet links: a torrent's info-hash, and where to ask for the torrent, in one line of text.
#pragma once

#include "ezio/torrent/torrent_file.hpp"

#include <libtorrent/add_torrent_params.hpp>

#include <string>
#include <string_view>

namespace ezio {

[[nodiscard]] bool is_magnet(std::string_view text);

// Throws Error (ExitStatus::torrent) when it is malformed or names only a BitTorrent v2 torrent.
[[nodiscard]] lt::add_torrent_params parse_magnet(const std::string& link);

// The torrent's link: its v1 info-hash, name, trackers and web seeds.
[[nodiscard]] std::string make_magnet(const LoadedTorrent& torrent);

} // namespace ezio

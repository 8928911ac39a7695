// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/image/disk_identity.hpp"
#include "ezio/image/image.hpp"
#include "ezio/image/volume_use.hpp"
#include "ezio/torrent/torrent_memory.hpp"
#include "ezio/util/units.hpp"

#include <libtorrent/add_torrent_params.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

// 500,000 extents are about 30 MB and 4.5 million tokens; libtorrent's own limits are 10 MB and 3 million.
inline constexpr std::uint64_t largest_torrent = 256_MiB;
inline constexpr int most_torrent_tokens = 50'000'000;
inline constexpr int most_torrent_pieces = 16'000'000;

// A torrent that describes a disk image.
struct LoadedTorrent {
    std::string path;
    Image image;
    std::string info_hash; // v1, 40 hex digits
    std::vector<std::string> trackers;
    std::vector<std::string> web_seeds; // BEP 19: URLs of HTTP servers with the files
    std::string comment;
    std::string creator;
    std::optional<DiskIdentity>
        source;                     // what the image was made of; not in all torrents, nor by magnet links
    std::vector<VolumeUse> volumes; // LVM2 volumes, if the torrent has them
    std::string ssl_ca;             // PEM; peers of this image need a certificate of this CA; empty: no CA
    libtorrent::add_torrent_params params; // for the session
};

// Parses and checks a torrent; `path` names it in messages. Throws Error (ExitStatus::torrent) when it is not
// a torrent, or does not describe a disk image: v2 only, names that are not offsets, overlapping extents, a
// piece length that is not a power of two or is below 16 KiB. The same when it takes more than `memory`.
[[nodiscard]] LoadedTorrent parse_torrent(std::string_view bytes, const std::string& path,
                                          const std::optional<TorrentMemory>& memory = {});

} // namespace ezio

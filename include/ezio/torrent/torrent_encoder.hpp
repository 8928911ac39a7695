// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes torrents. The bencoding is done here, straight into one string: an image can have 500,000 extents,
// for which a tree of entry objects would take hundreds of MiB. The dictionary is the one that Clonezilla's
// converter makes with libtorrent (v1, files in order, keys sorted), so that the info-hash is the same.
#pragma once

#include "ezio/image/disk_identity.hpp"
#include "ezio/image/extent_map.hpp"
#include "ezio/image/sha1.hpp"
#include "ezio/image/volume_use.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

struct TorrentContents {
    std::string name; // info.name: one path component, without '/'
    std::uint64_t piece_length = 0;
    std::vector<Extent> extents; // in payload order
    std::vector<Sha1Digest> hashes;
    std::vector<std::string> trackers; // announce URLs in order; none is normal on a LAN
    std::string comment;
    std::vector<std::string> names{}; // file names, parallel to the extents; empty: extent_name of each
    std::optional<std::uint64_t> creation_date{}; // seconds since 1970; none: two runs give the same file
    std::uint64_t sector_bytes = 0;               // as in Image
    std::optional<DiskIdentity> source{};         // contents of the source; outside the info dictionary
    std::vector<VolumeUse> volumes{};             // likewise
    std::string ssl_ca{}; // PEM, part of the info-hash: peers need a certificate of this CA; empty: none
};

// The file name of an extent: its offset in 32 lower case hex digits, as partclone writes it.
[[nodiscard]] std::string extent_name(std::uint64_t offset);

// The torrent file's bytes. The same contents give the same bytes.
[[nodiscard]] std::string encode_torrent(const TorrentContents& contents);

} // namespace ezio

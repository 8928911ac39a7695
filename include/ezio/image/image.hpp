// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/image/disk_identity.hpp"
#include "ezio/image/extent_map.hpp"
#include "ezio/image/piece_layout.hpp"
#include "ezio/image/sha1.hpp"
#include "ezio/image/sha256.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ezio {

// The key of Image::sector_bytes in a torrent's info dictionary, an extension of ours.
inline constexpr const char* sector_key = "sector size";

// The key, outside `info`, of the torrent's note about the source, and the keys in that note, sorted.
inline constexpr const char* source_key = "ezio-cli source";
struct SourceMember {
    const char* key;
    std::string DiskIdentity::*value;
};
inline constexpr std::array<SourceMember, 4> source_members{{{"table", &DiskIdentity::table},
                                                             {"table uuid", &DiskIdentity::table_uuid},
                                                             {"type", &DiskIdentity::type},
                                                             {"uuid", &DiskIdentity::uuid}}};

// A piece of a hybrid torrent in BitTorrent v2: the root of a tree over the SHA-256 of its blocks.
struct V2Piece {
    std::optional<Sha256Digest> root; // empty if the torrent came without it, as from a magnet link
    std::uint64_t data_bytes = 0;     // the piece's bytes before its padding
    std::uint64_t leaves = 0;         // of the tree; those beyond the data are zero
};

// A disk image as a torrent describes it. Constant once loaded.
struct Image {
    std::string name;                      // info.name, for example "sda1"
    std::uint64_t piece_length = 0;        // bytes; a power of two, at least block_bytes
    std::vector<Sha1Digest> hashes;        // one for each piece
    std::vector<V2Piece> v2_pieces;        // one for each piece of a hybrid torrent; empty for others
    std::vector<Extent> extents;           // in payload order, one for each file, empty ones included
    std::vector<std::string> extent_names; // the files' names, parallel to `extents`
    std::vector<Extent> padding;           // parts of the payload that are padding: sorted payload offsets
    ExtentMap map;                         // the same extents and padding, for lookups
    std::uint64_t sector_bytes = 0;        // of a whole disk, whose partition table counts in sectors; 0: no
                                           // table, or unknown
    bool single_file = false;              // the torrent is one file without a directory around it

    [[nodiscard]] std::uint32_t piece_count() const { return static_cast<std::uint32_t>(hashes.size()); }
    [[nodiscard]] PieceLayout layout() const { return {map.payload_size(), piece_length}; }
    [[nodiscard]] std::uint64_t piece_offset(std::uint32_t piece) const
    {
        return layout().piece_offset(piece);
    }
    [[nodiscard]] std::uint64_t piece_size(std::uint32_t piece) const { return layout().piece_size(piece); }
};

} // namespace ezio

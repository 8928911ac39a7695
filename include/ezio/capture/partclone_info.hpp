// SPDX-License-Identifier: GPL-2.0-or-later
//
// Parses torrent.info, the text file that `partclone -t` and `-T` write: used extents and the SHA-1 of each
// 16 MiB of their bytes. Lines are `key: value`; unknown keys are skipped.
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/image/sha1.hpp"
#include "ezio/util/units.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ezio {

struct PartcloneInfo {
    // Not in the file: partclone always hashes units of this many payload bytes.
    static constexpr std::uint64_t piece_length = 16_MiB;

    std::vector<Extent> extents; // as split by partclone, in its order, without empty ones
    std::vector<Sha1Digest> hashes;
};

// Whether a file beginning like this is meant as a torrent.info: its first line has one of the keys.
[[nodiscard]] bool looks_like_partclone_info(std::string_view beginning);

// Throws Error (ExitStatus::torrent) naming `name` and the line: a line that is not `key: value`, a bad
// number, a bad hash, an offset without a length or the other way round, an overlap, no extent at all, or a
// wrong number of hashes for the extents. The position of the hashes among the extents is not checked:
// partclone writes each one after the extents that it covers.
[[nodiscard]] PartcloneInfo parse_partclone_info(std::string_view text, const std::string& name);

} // namespace ezio

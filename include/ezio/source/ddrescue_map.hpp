// SPDX-License-Identifier: GPL-2.0-or-later
//
// Parses maps in the format of ddrescue's mapfile, which `partclone -D` also writes: comments (#), a line
// with ddrescue's position (`POS STATUS`, since version 1.21 `POS STATUS PASS`), then a line `POS SIZE
// STATUS` for each block, in order. partclone marks used blocks '+' and the others '?'. ddrescue marks the
// blocks that it has read '+', and those not yet tried '?'. Only ddrescue writes a status line with PASS.
#pragma once

#include "ezio/image/extent_map.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

struct DdrescueMap {
    std::vector<Extent> used;       // '+', in order, adjacent ones merged
    std::uint64_t position = 0;     // from the status line; partclone puts the size of the file system there
    std::uint64_t end = 0;          // end of the last block of any status
    std::uint64_t unread_bytes = 0; // ddrescue could not read them, or has not tried yet
    bool has_gaps = false;          // some bytes before `end` are in no block
};

// Throws Error (ExitStatus::torrent) naming `name` and the line: a malformed line, a bad number, a block that
// overlaps the previous one or ends beyond 2^63 - 1, or a missing status line.
[[nodiscard]] DdrescueMap parse_ddrescue_map(std::string_view text, const std::string& name);

} // namespace ezio

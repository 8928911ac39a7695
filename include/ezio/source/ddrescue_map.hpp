// SPDX-License-Identifier: GPL-2.0-or-later
//
// Maps of a device in the format of ddrescue's mapfile, which `partclone -D` writes too: comments (#), a line
// that says where ddrescue was (`POS STATUS`, since version 1.21 `POS STATUS PASS`), then a line `POS SIZE
// STATUS` for each block, in order. Partclone calls the used blocks '+' and the others '?'; ddrescue calls
// those '+' that it has read, and '?' those that it has not come to yet. A status line with PASS is
// ddrescue's.
#pragma once

#include "ezio/image/extent_map.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

struct DdrescueMap {
    std::vector<Extent> used;       // '+', in order, touching ones merged
    std::uint64_t position = 0;     // of the status line; partclone puts the size of the file system there
    std::uint64_t end = 0;          // where the last block of any status ends
    std::uint64_t unread_bytes = 0; // ddrescue could not, or not yet, read them
    bool has_gaps = false;          // not every byte up to `end` is in a block
};

// Throws Error (ExitStatus::torrent) naming `name` and the line: a line of another form, a bad number, a
// block that begins before the end of the one before it or ends beyond 2^63 - 1, no status line.
[[nodiscard]] DdrescueMap parse_ddrescue_map(std::string_view text, const std::string& name);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a disk or partition is, as libblkid tells from the data itself.
#pragma once

#include "ezio/image/disk_identity.hpp"
#include "ezio/image/extent_map.hpp"

#include <cstdint>

namespace ezio {

struct Recognition {
    enum class Outcome {
        known,
        unknown,   // libblkid knows nothing that is there
        ambiguous, // there are signs of several things
        unreadable,
    };
    Outcome outcome = Outcome::unknown;
    DiskIdentity identity; // when known
};

// Looks at `area` of the open device or file. `sector_bytes` is what a partition table in a file counts in; 0
// when that is not known. Any thread.
[[nodiscard]] Recognition recognize(int fd, const Extent& area, std::uint64_t sector_bytes);

} // namespace ezio

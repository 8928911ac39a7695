// SPDX-License-Identifier: GPL-2.0-or-later
//
// The contents of a disk or partition, as libblkid recognizes them from the data.
#pragma once

#include "ezio/image/disk_identity.hpp"
#include "ezio/image/extent_map.hpp"

#include <cstdint>

namespace ezio {

struct Recognition {
    enum class Outcome {
        known,
        unknown,   // libblkid recognizes nothing
        ambiguous, // there are signatures of several things
        unreadable,
    };
    Outcome outcome = Outcome::unknown;
    DiskIdentity identity; // when known
};

// Probes `area` of the open device or file. `sector_bytes` is the sector size of a partition table in a file;
// 0 if unknown. Any thread.
[[nodiscard]] Recognition recognize(int fd, const Extent& area, std::uint64_t sector_bytes);

} // namespace ezio

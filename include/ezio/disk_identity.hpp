// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a disk or partition is, as libblkid tells from the data itself, and by what it is told from others.
#pragma once

#include "ezio/extent_map.hpp"

#include <cstdint>
#include <string>

namespace ezio {

// Names and UUIDs as libblkid writes them; empty: there is none.
struct DiskIdentity {
    std::string type;       // of the file system or other contents: "ext4", "crypto_LUKS"
    std::string uuid;       // of it
    std::string table;      // the kind of partition table: "gpt", "dos"
    std::string table_uuid; // of the table

    [[nodiscard]] bool empty() const { return type.empty() && table.empty(); }
    bool operator==(const DiskIdentity&) const = default;
};

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

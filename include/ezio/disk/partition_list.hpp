// SPDX-License-Identifier: GPL-2.0-or-later
//
// The partitions in a device's table, as libblkid reads it.
#pragma once

#include "ezio/image/extent_map.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ezio {

struct ListedPartition {
    int number = 0;
    Extent extent{};           // bytes from the start of the device
    bool is_container = false; // an extended partition, which contains the logical ones
    bool operator==(const ListedPartition&) const = default;
};

struct PartitionList {
    std::string type; // "gpt", "dos", ...
    std::vector<ListedPartition> partitions;
    std::vector<std::string> uuids{}; // parallel to the partitions; empty if the table has none
};

// The partitions of the table on a device or file of `size` bytes, without those of a nested table inside a
// partition. Empty if there is none, or it cannot be read. `sector_bytes` as for recognize. Any thread.
[[nodiscard]] std::optional<PartitionList> list_partitions(int fd, std::uint64_t size,
                                                           std::uint64_t sector_bytes);

} // namespace ezio

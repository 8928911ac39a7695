// SPDX-License-Identifier: GPL-2.0-or-later
//
// An owning handle for libblkid's probe.
#pragma once

#include "ezio/image/extent_map.hpp"

#include <blkid/blkid.h>

#include <cstdint>
#include <memory>
#include <string>

namespace ezio {

using BlkidProbe = std::unique_ptr<blkid_struct_probe, decltype(&blkid_free_probe)>;

// Probes `area` of the open device or file; empty if that is impossible. `sector_bytes` is the sector size of
// a partition table in a file; 0: 512, or for a device its own.
[[nodiscard]] inline BlkidProbe make_blkid_probe(int fd, const Extent& area, std::uint64_t sector_bytes)
{
    BlkidProbe probe(blkid_new_probe(), &blkid_free_probe);
    if (probe && blkid_probe_set_device(probe.get(), fd, static_cast<blkid_loff_t>(area.offset),
                                        static_cast<blkid_loff_t>(area.length)) != 0) {
        probe.reset();
    }
    if (probe && sector_bytes != 0) {
        (void)blkid_probe_set_sectorsize(probe.get(), static_cast<unsigned>(sector_bytes));
    }
    return probe;
}

// A value that the last probe found; empty if there is none.
[[nodiscard]] inline std::string blkid_value(const BlkidProbe& probe, const char* name)
{
    const char* data = nullptr;
    return blkid_probe_lookup_value(probe.get(), name, &data, nullptr) == 0 ? data : "";
}

// Calls use(blkid_partition, Extent), in order, for each partition of the table that the last probe found.
// Logical partitions are included, those of a nested table inside a partition are not. The extent is in bytes
// from the start of the device. Returns the table's type; empty if there is no table.
template <typename Use>
std::string for_each_partition(const BlkidProbe& probe, Use use)
{
    constexpr std::uint64_t unit = 512; // libblkid's, whatever the device's sector size
    const blkid_partlist list = blkid_probe_get_partitions(probe.get());
    const blkid_parttable root = list != nullptr ? blkid_partlist_get_table(list) : nullptr;
    if (root == nullptr) {
        return {};
    }
    for (int i = 0; i < blkid_partlist_numof_partitions(list); ++i) {
        const blkid_partition partition = blkid_partlist_get_partition(list, i);
        if (blkid_partition_get_table(partition) == root) {
            use(partition, Extent{static_cast<std::uint64_t>(blkid_partition_get_start(partition)) * unit,
                                  static_cast<std::uint64_t>(blkid_partition_get_size(partition)) * unit});
        }
    }
    return blkid_parttable_get_type(root);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// libblkid's handle, which gives itself back.
#pragma once

#include "ezio/image/extent_map.hpp"

#include <blkid/blkid.h>

#include <cstdint>
#include <memory>
#include <string>

namespace ezio {

using BlkidProbe = std::unique_ptr<blkid_struct_probe, decltype(&blkid_free_probe)>;

// For `area` of the open device or file; empty when that cannot be looked at. `sector_bytes` is what a
// partition table in a file counts in; 0: 512, and a device knows it itself.
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

// A value that the last probe found; empty: none.
[[nodiscard]] inline std::string blkid_value(const BlkidProbe& probe, const char* name)
{
    const char* data = nullptr;
    return blkid_probe_lookup_value(probe.get(), name, &data, nullptr) == 0 ? data : "";
}

// Calls use(blkid_partition, Extent), in order, for each partition of the table that the last probe found,
// also for logical ones, but not for those that another table inside of a partition may have. The extent is
// in bytes from the start of the device. Returns the table's type; empty when there is no table.
template <typename Use>
std::string for_each_partition(const BlkidProbe& probe, Use use)
{
    constexpr std::uint64_t unit = 512; // of libblkid, whatever the device's sectors are
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

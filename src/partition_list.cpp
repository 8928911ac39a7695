// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/partition_list.hpp"

#include "ezio/blkid_probe.hpp"

namespace ezio {

std::optional<PartitionList> list_partitions(int fd, std::uint64_t size, std::uint64_t sector_bytes)
{
    constexpr std::uint64_t unit = 512; // of libblkid
    const BlkidProbe probe = make_blkid_probe(fd, {0, size}, sector_bytes);
    if (!probe) {
        return std::nullopt;
    }
    blkid_probe_enable_superblocks(probe.get(), 0);
    blkid_probe_enable_partitions(probe.get(), 1);
    const blkid_partlist list =
        blkid_do_safeprobe(probe.get()) == 0 ? blkid_probe_get_partitions(probe.get()) : nullptr;
    const blkid_parttable root = list != nullptr ? blkid_partlist_get_table(list) : nullptr;
    if (root == nullptr) {
        return std::nullopt;
    }
    PartitionList result{blkid_parttable_get_type(root), {}, {}};
    for (int i = 0; i < blkid_partlist_numof_partitions(list); ++i) {
        const blkid_partition partition = blkid_partlist_get_partition(list, i);
        const Extent extent{static_cast<std::uint64_t>(blkid_partition_get_start(partition)) * unit,
                            static_cast<std::uint64_t>(blkid_partition_get_size(partition)) * unit};
        const bool is_on_disk =
            extent.length > 0 && extent.offset < size && extent.length <= size - extent.offset;
        if (is_on_disk && blkid_partition_get_table(partition) == root) {
            result.partitions.push_back(
                {blkid_partition_get_partno(partition), extent, blkid_partition_is_extended(partition) != 0});
            const char* const uuid = blkid_partition_get_uuid(partition);
            result.uuids.emplace_back(uuid != nullptr ? uuid : "");
        }
    }
    return result;
}

} // namespace ezio

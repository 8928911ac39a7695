// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/partition_list.hpp"

#include "ezio/disk/blkid_probe.hpp"

#include <utility>

namespace ezio {

std::optional<PartitionList> list_partitions(int fd, std::uint64_t size, std::uint64_t sector_bytes)
{
    const BlkidProbe probe = make_blkid_probe(fd, {0, size}, sector_bytes);
    if (!probe) {
        return std::nullopt;
    }
    blkid_probe_enable_superblocks(probe.get(), 0);
    blkid_probe_enable_partitions(probe.get(), 1);
    if (blkid_do_safeprobe(probe.get()) != 0) {
        return std::nullopt;
    }
    PartitionList result;
    result.type = for_each_partition(probe, [&](blkid_partition partition, const Extent& extent) {
        const bool is_on_disk =
            extent.length > 0 && extent.offset < size && extent.length <= size - extent.offset;
        if (is_on_disk) {
            result.partitions.push_back(
                {blkid_partition_get_partno(partition), extent, blkid_partition_is_extended(partition) != 0});
            const char* const uuid = blkid_partition_get_uuid(partition);
            result.uuids.emplace_back(uuid != nullptr ? uuid : "");
        }
    });
    return result.type.empty() ? std::nullopt : std::optional(std::move(result));
}

} // namespace ezio

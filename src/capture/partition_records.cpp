// SPDX-License-Identifier: GPL-2.0-or-later
#include "partition_records.hpp"

#include "ezio/source/superblock.hpp"
#include "ezio/util/byte_order.hpp"
#include "gpt_records.hpp"

#include <algorithm>
#include <array>

namespace ezio {

namespace {

// In sectors from the start of the extended partition; 0: this is the last record.
std::uint64_t next_in_chain(Superblock record)
{
    constexpr std::array<std::uint8_t, 3> extended{0x05, 0x0f, 0x85}; // types
    for (std::size_t entry = 446; entry < 510; entry += 16) {
        const auto type = std::to_integer<std::uint8_t>(record[entry + 4]);
        if (std::find(extended.begin(), extended.end(), type) != extended.end()) {
            return little_u32(record, entry + 8);
        }
    }
    return 0;
}

void add_chain(const SourceDisk& disk, const Partition& container, std::uint64_t sector,
               std::vector<Extent>& records)
{
    constexpr std::uint64_t signature = 0xaa55;
    constexpr int longest = 256; // the chain is a circle if longer; the kernel follows at most 100
    const std::uint64_t end = std::min(container.start + container.size, disk.size);
    std::uint64_t at = container.start;
    for (int i = 0; i < longest && at + sector <= end; ++i) {
        const auto record = read_superblock(disk, at);
        if (little_u16(record, 510) != signature) {
            return;
        }
        records.push_back({at, sector});
        const std::uint64_t next = next_in_chain(record);
        if (next == 0) {
            return;
        }
        at = container.start + next * sector;
    }
}

} // namespace

std::vector<Extent> partition_records(const SourceDisk& disk, const PartitionTable& table,
                                      std::uint64_t sector)
{
    std::vector<Extent> records;
    for (const Partition& partition : table.partitions) {
        if (partition.is_container) {
            add_chain(disk, partition, sector, records);
        }
    }
    if (table.type == "gpt") {
        const auto of_gpt = gpt_records(disk, sector);
        records.insert(records.end(), of_gpt.begin(), of_gpt.end());
    }
    return records;
}

} // namespace ezio

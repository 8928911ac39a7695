// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/partition_records.hpp"

#include "ezio/little_endian.hpp"
#include "ezio/superblock.hpp"
#include "ezio/units.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace ezio {

namespace {

// In sectors from the start of the extended partition; 0: it is the last record.
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
    constexpr int longest = 256; // or it goes round in a circle; the kernel follows no more than 100
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

bool is_gpt_header(Superblock header)
{
    constexpr std::string_view signature = "EFI PART";
    return std::equal(signature.begin(), signature.end(), header.begin(),
                      [](char a, std::byte b) { return static_cast<std::byte>(a) == b; });
}

void add_gpt_copy(const SourceDisk& disk, std::uint64_t sector, std::vector<Extent>& records)
{
    const std::uint64_t sectors = disk.size / sector;
    if (sectors < 2) {
        return;
    }
    const auto header = read_superblock(disk, sector);
    const std::uint64_t copy_at = little_u64(header, 32);
    if (!is_gpt_header(header) || copy_at >= sectors) {
        return;
    }
    const auto copy = read_superblock(disk, copy_at * sector);
    if (!is_gpt_header(copy)) {
        return;
    }
    records.push_back({copy_at * sector, sector});
    const std::uint64_t entries_at = little_u64(copy, 72);
    const std::uint64_t entries = little_u32(copy, 80) * little_u32(copy, 84); // their number, bytes of each
    const std::uint64_t entry_sectors = (entries + sector - 1) / sector;
    if (entries <= 1_MiB && entries_at < sectors && entry_sectors <= sectors - entries_at) {
        records.push_back({entries_at * sector, entry_sectors * sector});
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
        add_gpt_copy(disk, sector, records);
    }
    return records;
}

} // namespace ezio

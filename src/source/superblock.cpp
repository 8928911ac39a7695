// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/superblock.hpp"

#include "ezio/util/byte_order.hpp"

#include <fmt/format.h>

#include <string_view>

namespace ezio {

bool ext_is_clean(Superblock superblock)
{
    constexpr std::uint64_t valid = 1;          // of s_state
    constexpr std::uint64_t has_errors = 2;     // of s_state
    constexpr std::uint64_t needs_recovery = 4; // of s_feature_incompat: the journal has to be replayed
    const std::uint64_t state = little_u16(superblock, 0x3a);
    return (state & (valid | has_errors)) == valid && (little_u32(superblock, 0x60) & needs_recovery) == 0;
}

std::string ext_journal_device(Superblock superblock)
{
    constexpr std::uint64_t has_journal = 4; // of s_feature_compat
    constexpr std::size_t uuid_at = 0xd0;
    if ((little_u32(superblock, 0x5c) & has_journal) == 0 || little_u32(superblock, 0xe0) != 0) { // its inode
        return {};
    }
    std::string uuid;
    for (std::size_t i = 0; i < 16; ++i) {
        const bool begins_group = i == 4 || i == 6 || i == 8 || i == 10;
        uuid += fmt::format("{}{:02x}", begins_group ? "-" : "",
                            std::to_integer<unsigned>(superblock[uuid_at + i]));
    }
    return uuid;
}

bool btrfs_is_clean(Superblock superblock)
{
    return little_u64(superblock, 0x60) == 0; // root of the log's tree
}

std::uint64_t btrfs_device_count(Superblock superblock)
{
    return little_u64(superblock, 0x88);
}

std::optional<Extent> ntfs_boot_copy(Superblock superblock)
{
    const std::uint64_t sector = little_u16(superblock, 0x0b);
    const std::uint64_t sectors = little_u64(superblock, 0x28); // without the copy's own sector
    const bool plausible = sector >= 256 && sector <= 4096 && sectors > 0 && sectors < (1ULL << 48);
    return plausible ? std::optional(Extent{sectors * sector, sector}) : std::nullopt;
}

// The header fills a page, ends with the signature, and counts in pages.
std::optional<std::uint64_t> swap_end(std::span<const std::byte, largest_page> beginning)
{
    constexpr std::string_view signature = "SWAPSPACE2";
    for (std::size_t page = 4096; page <= largest_page; page *= 2) {
        if (has_text_at(beginning, page - signature.size(), signature)) {
            const std::uint64_t last_page = little_u32(beginning, 1028);
            return last_page == 0 ? std::nullopt : std::optional((last_page + 1) * page);
        }
    }
    return std::nullopt;
}

namespace {

// In sectors, according to Microsoft's specification.
struct FatSectors {
    std::uint64_t bytes = 0;      // of a sector
    std::uint64_t in_cluster = 0; // sectors
    std::uint64_t reserved = 0;   // before the first table
    std::uint64_t table = 0;      // size of each
    std::uint64_t tables = 0;     // their number
    std::uint64_t system = 0;     // before the first cluster
    std::uint64_t clusters = 0;   // their number
    bool is_fat32 = false;

    explicit FatSectors(Superblock superblock)
        : bytes(little_u16(superblock, 0x0b)), in_cluster(std::to_integer<std::uint64_t>(superblock[0x0d])),
          reserved(little_u16(superblock, 0x0e)), table(little_u16(superblock, 0x16)),
          tables(std::to_integer<std::uint64_t>(superblock[0x10]))
    {
        constexpr std::uint64_t entry_bytes = 32; // of the root directory
        is_fat32 = table == 0;
        table = is_fat32 ? little_u32(superblock, 0x24) : table;
        if (bytes == 0 || in_cluster == 0) {
            return;
        }
        const std::uint64_t short_total = little_u16(superblock, 0x13);
        const std::uint64_t total = short_total != 0 ? short_total : little_u32(superblock, 0x20);
        const std::uint64_t root = (little_u16(superblock, 0x11) * entry_bytes + bytes - 1) / bytes;
        system = reserved + tables * table + root;
        clusters = total < system ? 0 : (total - system) / in_cluster;
    }

    [[nodiscard]] bool is_plausible() const { return bytes != 0 && in_cluster != 0; }
};

constexpr std::uint64_t first_fat16 = 4085; // with fewer clusters it is a FAT12
constexpr std::uint64_t first_cluster = 2;  // the first one with an entry

} // namespace

bool is_fat12(Superblock superblock)
{
    const FatSectors fat(superblock);
    return fat.is_plausible() && !fat.is_fat32 && fat.clusters < first_fat16;
}

std::optional<FatLayout> fat_layout(Superblock superblock)
{
    constexpr std::uint64_t one_is_active = 0x80; // flag; otherwise all tables are the same
    const FatSectors fat(superblock);
    const std::uint64_t flags = fat.is_fat32 ? little_u16(superblock, 0x28) : 0;
    const std::uint64_t active = (flags & one_is_active) != 0 ? flags & 0x0f : 0;
    FatLayout layout;
    layout.entry_bytes = fat.is_fat32 ? 4 : 2;
    layout.cluster_bytes = fat.in_cluster * fat.bytes;
    layout.data_begin = fat.system * fat.bytes;
    layout.table = {(fat.reserved + active * fat.table) * fat.bytes + first_cluster * layout.entry_bytes,
                    fat.clusters * layout.entry_bytes};
    const bool is_within = (first_cluster + fat.clusters) * layout.entry_bytes <= fat.table * fat.bytes;
    return fat.is_plausible() && (fat.is_fat32 || fat.clusters >= first_fat16) && is_within
               ? std::optional(layout)
               : std::nullopt;
}

std::uint64_t used_fat_entries(std::span<const std::byte> table, std::uint64_t entry_bytes)
{
    constexpr std::uint64_t bad16 = 0xfff7; // marks a bad cluster
    constexpr std::uint64_t bad32 = 0x0ffffff7;
    constexpr std::uint64_t entry32 = 0x0fffffff; // mask; the other bits are reserved
    std::uint64_t used = 0;
    for (std::size_t at = 0; at + entry_bytes <= table.size(); at += entry_bytes) {
        const std::uint64_t entry =
            entry_bytes == 2 ? little_u16(table, at) : little_u32(table, at) & entry32;
        used += entry != 0 && entry != (entry_bytes == 2 ? bad16 : bad32) ? 1 : 0;
    }
    return used;
}

bool ext_has_bigalloc(Superblock superblock)
{
    constexpr std::uint64_t bigalloc = 0x200; // of s_feature_ro_compat
    return (little_u32(superblock, 0x64) & bigalloc) != 0;
}

std::uint64_t ext_used_bytes(Superblock superblock)
{
    constexpr std::uint64_t has_64_bits = 0x80; // of s_feature_incompat
    constexpr std::uint64_t largest_shift = 6;  // 64 KiB
    const bool wide = (little_u32(superblock, 0x60) & has_64_bits) != 0;
    const auto number = [&](std::size_t low, std::size_t high) {
        return little_u32(superblock, low) | (wide ? little_u32(superblock, high) << 32 : 0);
    };
    const std::uint64_t total = number(0x04, 0x150);
    const std::uint64_t free = number(0x0c, 0x158);
    const std::uint64_t shift = little_u32(superblock, 0x18);
    return shift > largest_shift || free > total ? 0 : (total - free) * (1024ULL << shift);
}

std::uint64_t btrfs_used_bytes(Superblock superblock)
{
    return little_u64(superblock, 0x78);
}

XfsLayout xfs_layout(Superblock superblock)
{
    XfsLayout layout;
    layout.block_bytes = big_u32(superblock, 4);
    layout.blocks = big_u64(superblock, 8);
    layout.group_bytes = big_u32(superblock, 84) * layout.block_bytes;
    layout.groups = big_u32(superblock, 88);
    layout.group_header = big_u16(superblock, 102); // after the superblock's sector
    return layout;
}

bool xfs_has_realtime_device(Superblock superblock)
{
    return big_u64(superblock, 16) != 0; // blocks
}

bool xfs_has_log_device(Superblock superblock)
{
    return big_u64(superblock, 48) == 0; // the first block of an internal log
}

std::optional<XfsGroupCount> xfs_group_count(Superblock header)
{
    constexpr std::uint32_t magic = 0x58414746; // "XAGF"
    const std::uint64_t length = big_u32(header, 12);
    const std::uint64_t spare = big_u32(header, 48); // reserved for the trees of free space
    const std::uint64_t free = big_u32(header, 52);
    if (big_u32(header, 0) != magic || free + spare > length) {
        return std::nullopt;
    }
    return XfsGroupCount{length, length - free - spare};
}

} // namespace ezio

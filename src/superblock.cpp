// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/superblock.hpp"

#include "ezio/little_endian.hpp"

#include <algorithm>
#include <string_view>

namespace ezio {

bool ext_is_clean(Superblock superblock)
{
    constexpr std::uint64_t valid = 1;          // of s_state
    constexpr std::uint64_t has_errors = 2;     // of s_state
    constexpr std::uint64_t needs_recovery = 4; // of s_feature_incompat: the journal is to be replayed
    const std::uint64_t state = little_u16(superblock, 0x3a);
    return (state & (valid | has_errors)) == valid && (little_u32(superblock, 0x60) & needs_recovery) == 0;
}

bool btrfs_is_clean(Superblock superblock)
{
    return little_u64(superblock, 0x60) == 0; // where the root of the log's tree is
}

std::uint64_t btrfs_device_count(Superblock superblock)
{
    return little_u64(superblock, 0x88);
}

std::optional<Extent> ntfs_boot_copy(Superblock superblock)
{
    const std::uint64_t sector = little_u16(superblock, 0x0b);
    const std::uint64_t sectors = little_u64(superblock, 0x28); // without the copy's own
    const bool plausible = sector >= 256 && sector <= 4096 && sectors > 0 && sectors < (1ULL << 48);
    return plausible ? std::optional(Extent{sectors * sector, sector}) : std::nullopt;
}

// The header's page ends with the signature, and the header counts in pages.
std::optional<std::uint64_t> swap_end(std::span<const std::byte, largest_page> beginning)
{
    constexpr std::string_view signature = "SWAPSPACE2";
    for (std::size_t page = 4096; page <= largest_page; page *= 2) {
        const auto end = beginning.first(page).last(signature.size());
        if (std::equal(signature.begin(), signature.end(), end.begin(),
                       [](char a, std::byte b) { return static_cast<std::byte>(a) == b; })) {
            const std::uint64_t last_page = little_u32(beginning, 1028);
            return last_page == 0 ? std::nullopt : std::optional((last_page + 1) * page);
        }
    }
    return std::nullopt;
}

// By the number of clusters, as Microsoft's specification has it.
bool is_fat12(Superblock superblock)
{
    constexpr std::uint64_t first_fat16 = 4085; // clusters
    constexpr std::uint64_t entry_bytes = 32;   // of the root directory
    const std::uint64_t sector = little_u16(superblock, 0x0b);
    const auto sectors_in_cluster = std::to_integer<std::uint64_t>(superblock[0x0d]);
    const std::uint64_t fat_sectors = little_u16(superblock, 0x16); // 0: it is a FAT32
    if (sector == 0 || sectors_in_cluster == 0 || fat_sectors == 0) {
        return false;
    }
    const std::uint64_t short_total = little_u16(superblock, 0x13);
    const std::uint64_t total = short_total != 0 ? short_total : little_u32(superblock, 0x20);
    const std::uint64_t root = (little_u16(superblock, 0x11) * entry_bytes + sector - 1) / sector;
    const std::uint64_t system =
        little_u16(superblock, 0x0e) + std::to_integer<std::uint64_t>(superblock[0x10]) * fat_sectors + root;
    return total < system || (total - system) / sectors_in_cluster < first_fat16;
}

} // namespace ezio

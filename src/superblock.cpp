// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/superblock.hpp"

namespace ezio {

namespace {

std::uint64_t little_endian(Superblock superblock, std::size_t offset, std::size_t bytes)
{
    std::uint64_t number = 0;
    for (std::size_t i = bytes; i > 0; --i) {
        number = number << 8 | std::to_integer<std::uint64_t>(superblock[offset + i - 1]);
    }
    return number;
}

} // namespace

bool ext_is_clean(Superblock superblock)
{
    constexpr std::uint64_t valid = 1;          // of s_state
    constexpr std::uint64_t has_errors = 2;     // of s_state
    constexpr std::uint64_t needs_recovery = 4; // of s_feature_incompat: the journal is to be replayed
    const std::uint64_t state = little_endian(superblock, 0x3a, 2);
    return (state & (valid | has_errors)) == valid &&
           (little_endian(superblock, 0x60, 4) & needs_recovery) == 0;
}

bool btrfs_is_clean(Superblock superblock)
{
    return little_endian(superblock, 0x60, 8) == 0; // where the root of the log's tree is
}

std::uint64_t btrfs_device_count(Superblock superblock)
{
    return little_endian(superblock, 0x88, 8);
}

std::optional<Extent> ntfs_boot_copy(Superblock superblock)
{
    const std::uint64_t sector = little_endian(superblock, 0x0b, 2);
    const std::uint64_t sectors = little_endian(superblock, 0x28, 8); // without the copy's own
    const bool plausible = sector >= 256 && sector <= 4096 && sectors > 0 && sectors < (1ULL << 48);
    return plausible ? std::optional(Extent{sectors * sector, sector}) : std::nullopt;
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Facts that stand in file systems' superblocks and that neither libblkid nor partclone tells. Each function
// gets the superblock's bytes, as many as superblock_bytes, from where its constant says it is.
#pragma once

#include "ezio/extent_map.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace ezio {

inline constexpr std::size_t superblock_bytes = 512;
inline constexpr std::uint64_t ext_superblock_offset = 1024;
inline constexpr std::uint64_t btrfs_superblock_offset = 65536;
inline constexpr std::uint64_t ntfs_superblock_offset = 0;
inline constexpr std::uint64_t fat_superblock_offset = 0;

using Superblock = std::span<const std::byte, superblock_bytes>;

// Whether an ext2, ext3 or ext4 was left in order: unmounted, no errors found, its journal empty.
[[nodiscard]] bool ext_is_clean(Superblock superblock);

// Whether a btrfs has nothing in its log of what was synced last, which it takes over when it is mounted.
[[nodiscard]] bool btrfs_is_clean(Superblock superblock);

// How many devices a btrfs is made of.
[[nodiscard]] std::uint64_t btrfs_device_count(Superblock superblock);

// Where NTFS keeps the copy of its boot sector: behind its last cluster, where no map of clusters tells of
// it. Empty when the numbers make no sense.
[[nodiscard]] std::optional<Extent> ntfs_boot_copy(Superblock superblock);

inline constexpr std::size_t largest_page = 64 << 10; // bytes, of any machine

// Where swap space ends, by the header that begins it; in bytes from there. Empty: it does not say.
[[nodiscard]] std::optional<std::uint64_t> swap_end(std::span<const std::byte, largest_page> beginning);

// Whether a FAT is of 12 bits for each cluster: partclone before 0.3.38 reads 16, and misses clusters.
[[nodiscard]] bool is_fat12(Superblock superblock);

} // namespace ezio

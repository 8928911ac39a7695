// SPDX-License-Identifier: GPL-2.0-or-later
//
// Facts that stand in file systems' superblocks and that neither libblkid nor partclone tells. Each function
// gets the superblock's bytes, as many as superblock_bytes, from where its constant says it is.
#pragma once

#include "ezio/image/extent_map.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace ezio {

inline constexpr std::size_t superblock_bytes = 512;
inline constexpr std::uint64_t ext_superblock_offset = 1024;
inline constexpr std::uint64_t btrfs_superblock_offset = 65536;
inline constexpr std::uint64_t ntfs_superblock_offset = 0;
inline constexpr std::uint64_t fat_superblock_offset = 0;
inline constexpr std::uint64_t xfs_superblock_offset = 0;

using Superblock = std::span<const std::byte, superblock_bytes>;

// Whether an ext2, ext3 or ext4 was left in order: unmounted, no errors found, its journal empty.
[[nodiscard]] bool ext_is_clean(Superblock superblock);

// The UUID of the device that an ext3 or ext4 has its journal on; empty: in itself, or it has none.
[[nodiscard]] std::string ext_journal_device(Superblock superblock);

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

// Where what is of a FAT of 16 or 32 bits; bytes from where the file system begins.
struct FatLayout {
    Extent table{};                  // the entries of all clusters in the table that is in use
    std::uint64_t entry_bytes = 0;   // in it
    std::uint64_t data_begin = 0;    // of the first cluster
    std::uint64_t cluster_bytes = 0; // each
};

// Empty for a FAT12, and when the numbers make no sense.
[[nodiscard]] std::optional<FatLayout> fat_layout(Superblock superblock);

// How many of the entries in a part of the table are of clusters in use; bad ones are not.
[[nodiscard]] std::uint64_t used_fat_entries(std::span<const std::byte> table, std::uint64_t entry_bytes);

// Whether an ext4 counts its blocks in clusters: partclone reads its bitmaps as if they were of blocks.
[[nodiscard]] bool ext_has_bigalloc(Superblock superblock);

// How much of an ext is in use, by its count of free blocks; 0 when the numbers make no sense.
[[nodiscard]] std::uint64_t ext_used_bytes(Superblock superblock);

// How much of a btrfs is in use. What is stored twice counts once.
[[nodiscard]] std::uint64_t btrfs_used_bytes(Superblock superblock);

struct XfsLayout {
    std::uint64_t block_bytes = 0;
    std::uint64_t blocks = 0; // of the file system
    std::uint64_t groups = 0;
    std::uint64_t group_bytes = 0;  // of each but the last, which may be shorter
    std::uint64_t group_header = 0; // where it is in a group, in bytes
};

[[nodiscard]] XfsLayout xfs_layout(Superblock superblock);

// Whether an XFS has files' data, or its log, on another device.
[[nodiscard]] bool xfs_has_realtime_device(Superblock superblock);
[[nodiscard]] bool xfs_has_log_device(Superblock superblock);

struct XfsGroupCount {
    std::uint64_t length = 0; // blocks of the group
    std::uint64_t used = 0;   // of them, without the spare ones
};

// What the header of an allocation group counts; empty when it is none.
[[nodiscard]] std::optional<XfsGroupCount> xfs_group_count(Superblock header);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Facts from file systems' superblocks that neither libblkid nor partclone reports. Each function gets
// superblock_bytes bytes, read at the offset that its constant gives.
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

// Whether an ext2, ext3 or ext4 is clean: unmounted, no errors found, its journal empty.
[[nodiscard]] bool ext_is_clean(Superblock superblock);

// The UUID of the device with the journal of an ext3 or ext4; empty: the journal is internal, or there is
// none.
[[nodiscard]] std::string ext_journal_device(Superblock superblock);

// Whether the log of a btrfs is empty: it holds the latest synced data, which is merged at the next mount.
[[nodiscard]] bool btrfs_is_clean(Superblock superblock);

// The number of devices of a btrfs.
[[nodiscard]] std::uint64_t btrfs_device_count(Superblock superblock);

// The copy of the boot sector that NTFS keeps after its last cluster, so that no map of clusters includes it.
// Empty if the numbers are invalid.
[[nodiscard]] std::optional<Extent> ntfs_boot_copy(Superblock superblock);

inline constexpr std::size_t largest_page = 64 << 10; // bytes, of any machine

// The end of swap space according to its header, in bytes from its start; empty: unknown.
[[nodiscard]] std::optional<std::uint64_t> swap_end(std::span<const std::byte, largest_page> beginning);

// Whether a FAT has 12 bits per cluster. partclone before 0.3.38 reads 16 bits, and misses clusters.
[[nodiscard]] bool is_fat12(Superblock superblock);

// The layout of a FAT16 or FAT32; bytes from the start of the file system.
struct FatLayout {
    Extent table{};                  // the entries of all clusters in the active table
    std::uint64_t entry_bytes = 0;   // size of an entry
    std::uint64_t data_begin = 0;    // of the first cluster
    std::uint64_t cluster_bytes = 0; // each
};

// Empty for a FAT12, and if the numbers are invalid.
[[nodiscard]] std::optional<FatLayout> fat_layout(Superblock superblock);

// The number of entries, in a part of the table, whose clusters are in use; bad clusters are not.
[[nodiscard]] std::uint64_t used_fat_entries(std::span<const std::byte> table, std::uint64_t entry_bytes);

// Whether an ext4 allocates clusters of blocks. partclone reads its bitmaps as if their bits were blocks.
[[nodiscard]] bool ext_has_bigalloc(Superblock superblock);

// The used bytes of an ext, from its count of free blocks; 0 if the numbers are invalid.
[[nodiscard]] std::uint64_t ext_used_bytes(Superblock superblock);

// The used bytes of a btrfs. Data that is stored twice counts once.
[[nodiscard]] std::uint64_t btrfs_used_bytes(Superblock superblock);

struct XfsLayout {
    std::uint64_t block_bytes = 0;
    std::uint64_t blocks = 0; // of the file system
    std::uint64_t groups = 0;
    std::uint64_t group_bytes = 0;  // of each group but the last, which may be shorter
    std::uint64_t group_header = 0; // offset in a group, in bytes
};

[[nodiscard]] XfsLayout xfs_layout(Superblock superblock);

// Whether an XFS has its files' data, or its log, on another device.
[[nodiscard]] bool xfs_has_realtime_device(Superblock superblock);
[[nodiscard]] bool xfs_has_log_device(Superblock superblock);

struct XfsGroupCount {
    std::uint64_t length = 0; // blocks of the group
    std::uint64_t used = 0;   // of them, without the spare ones
};

// The counts in the header of an allocation group; empty if it is not one.
[[nodiscard]] std::optional<XfsGroupCount> xfs_group_count(Superblock header);

} // namespace ezio

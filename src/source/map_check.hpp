// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether a map of used blocks has everything that the file system itself counts as used: partclone reads
// file systems with code of its own or an old copy of theirs, and can be wrong in ways that are not known
// yet. What is counted where:
//
// - ext: the superblock, blocks;
// - XFS: the header of each allocation group, blocks, so that no group makes up for another. The superblock's
//   own count is of no use: it is only written when the file system is unmounted;
// - btrfs: the superblock, bytes of which metadata is there twice or more, so that this notices less;
// - FAT: the clusters in the FAT itself, which FSInfo's count only hints at.
//
// NTFS and exFAT have nothing but the bitmap that partclone reads. A map may have more than what is counted
// (the trees in which XFS keeps its free space, the copies of btrfs's metadata), but never less: measured on
// file systems that were just made, filled, and used for long, the four have what is counted to the block.
// The counts are right where nothing is to be replayed, which is for the caller to know.
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/source/source_disk.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ezio {

// How many bytes that the file system at `offset` of the disk counts as used are not in `used`, at least;
// 0 where none are missed, or nothing is counted. `used` is relative to the file system, in order, and
// without overlaps; `type` is libblkid's. `tick` is called between reads; what it throws ends it. Throws
// Error (ExitStatus::io).
[[nodiscard]] std::uint64_t bytes_missing(const std::vector<Extent>& used, const SourceDisk& disk,
                                          std::uint64_t offset, const std::string& type,
                                          const std::function<void()>& tick);

} // namespace ezio

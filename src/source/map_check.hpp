// SPDX-License-Identifier: GPL-2.0-or-later
//
// Checks that a map of used blocks includes everything that the file system itself counts as used. partclone
// reads file systems with its own code or an old copy of theirs, and can be wrong in ways not yet known. The
// counts come from:
//
// - ext: the superblock, in blocks;
// - XFS: the header of each allocation group, in blocks, so that one group cannot make up for another. The
//   superblock's count is useless, because it is only written when the file system is unmounted;
// - btrfs: the superblock, in bytes; metadata is stored twice or more, so this detects less;
// - FAT: the clusters in the FAT itself, because FSInfo's count is only a hint.
//
// NTFS and exFAT have only the bitmap that partclone reads. A map may contain more than is counted (the trees
// with XFS's free space, the copies of btrfs's metadata), but never less: on new, full and long used file
// systems, all four maps contain the count exactly to the block. The counts are right only if there is
// nothing to replay, which the caller has to know.
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/source/source_disk.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ezio {

// The number of bytes, at least, that the file system at `offset` of the disk counts as used and that are
// missing in `used`; 0 if none are missing, or nothing is counted. `used` is relative to the file system, in
// order, and without overlaps; `type` is libblkid's name. `tick` is called between reads and may throw to
// stop. Throws Error (ExitStatus::io).
[[nodiscard]] std::uint64_t bytes_missing(const std::vector<Extent>& used, const SourceDisk& disk,
                                          std::uint64_t offset, const std::string& type,
                                          const std::function<void()>& tick);

} // namespace ezio

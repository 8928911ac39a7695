// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether an XFS was unmounted in order. Its superblock does not say, and partclone does not ask; the log
// does: a ring of blocks of 512 bytes, in which each record has a greater number than the one before it, and
// the last one that unmounting writes is marked as such. What is in the log after a crash is not in the maps
// of used blocks yet.
#pragma once

#include "ezio/source/source_disk.hpp"

#include <cstdint>
#include <functional>

namespace ezio {

// Looks at the XFS at `offset` of the disk, of at most `size` bytes; reads its log, of up to 2 GiB. `tick` is
// called for each MiB; what it throws ends it. A log on another device is taken for clean; numbers that make
// no sense are not. Throws Error (ExitStatus::io).
[[nodiscard]] bool xfs_is_clean(const SourceDisk& disk, std::uint64_t offset, std::uint64_t size,
                                const std::function<void()>& tick);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether an XFS was unmounted cleanly. The superblock does not say, and partclone does not check, but the
// log shows it. It is a ring of blocks of 512 bytes in which each record has a greater number than the
// previous one, and the last record written by unmounting is marked. After a crash, changes in the log are
// not yet in the maps of used blocks.
#pragma once

#include "ezio/source/source_disk.hpp"

#include <cstdint>
#include <functional>

namespace ezio {

// Examines the XFS at `offset` of the disk, of at most `size` bytes, and reads its log, up to 2 GiB. `tick`
// is called for each MiB and may throw to stop. A log on another device counts as clean; invalid numbers do
// not.
// Throws Error (ExitStatus::io).
[[nodiscard]] bool xfs_is_clean(const SourceDisk& disk, std::uint64_t offset, std::uint64_t size,
                                const std::function<void()>& tick);

} // namespace ezio

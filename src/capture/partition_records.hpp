// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds the parts of a partition table that can be in the middle of unused space, which disk_layout leaves
// out: the records that chain an MBR's logical partitions, anywhere in the extended partition; and the
// headers and entries of a GPT, whose entries can be anywhere, and whose copy is not at the end of a disk
// that has grown.
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/source/disk_contents.hpp"
#include "ezio/source/source_disk.hpp"

#include <cstdint>
#include <vector>

namespace ezio {

// The records of `table`, which is on `disk`, in the chain's order; `sector` is in bytes. A broken chain ends
// where it breaks, and an invalid copy is left out: repairing them is not our task.
// Throws Error (ExitStatus::io).
[[nodiscard]] std::vector<Extent> partition_records(const SourceDisk& disk, const PartitionTable& table,
                                                    std::uint64_t sector);

} // namespace ezio

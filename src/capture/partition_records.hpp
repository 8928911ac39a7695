// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where a partition table is, as far as that may be in the middle of unused space, which disk_layout leaves
// out: the records that an MBR's logical partitions are chained with, anywhere in the extended partition; and
// the headers and entries of a GPT: the entries may be anywhere, and the copy is not at the end of a disk
// that has grown.
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/source/disk_contents.hpp"
#include "ezio/source/source_disk.hpp"

#include <cstdint>
#include <vector>

namespace ezio {

// Those of `table`, which is on `disk`, in the chain's order; `sector` is in bytes. A chain that ends without
// a record ends there, and a copy that is none is left out: it is not for us to mend them.
// Throws Error (ExitStatus::io).
[[nodiscard]] std::vector<Extent> partition_records(const SourceDisk& disk, const PartitionTable& table,
                                                    std::uint64_t sector);

} // namespace ezio

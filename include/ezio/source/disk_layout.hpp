// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which parts of a whole disk an image carries, given the parts of each partition.
//
// The space between and around the partitions is small and contains what makes the disk boot: the partition
// table with its copy at the end, boot loaders after it (GRUB's core in the first MiB, U-Boot a few MiB in),
// and the records that chain logical partitions. A gap of up to largest_whole_gap is carried whole, and only
// both ends of a larger one. The beginning of each extended partition is carried like a gap.
// partition_records finds parts of the table in the middle of larger gaps.
#pragma once

#include "disk_contents.hpp"
#include "ezio/image/extent_map.hpp"
#include "ezio/util/units.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ezio {

inline constexpr std::uint64_t largest_whole_gap = 64_MiB;
inline constexpr std::uint64_t gap_end = 1_MiB; // carried at each end of a larger gap

// The carried parts of a gap: all of it up to `largest_whole` bytes, otherwise both ends.
[[nodiscard]] std::vector<Extent> carried_of_gap(const Extent& gap,
                                                 std::uint64_t largest_whole = largest_whole_gap);

// The parts of [0, size) outside the extents, which must be in order and not overlap.
[[nodiscard]] std::vector<Extent> gaps_between(const std::vector<Extent>& extents, std::uint64_t size);

struct UsedPartition {
    Partition partition;
    std::vector<Extent> used; // relative to its start; empty for a container
};

// The extents to carry, in order, adjacent ones merged. `disk` is for messages.
// Throws Error (ExitStatus::target) when a partition ends beyond the disk or two of them overlap.
[[nodiscard]] std::vector<Extent> disk_extents(const std::string& disk, std::uint64_t disk_size,
                                               std::vector<UsedPartition> partitions);

// The last bytes, up to 4 KiB, of something of that size. An image always contains them, so that a copy has
// the same length, and a target that is too small is refused.
[[nodiscard]] Extent tail_of(std::uint64_t size);

// The same bytes, in order, with overlapping and adjacent extents merged and empty ones removed.
[[nodiscard]] std::vector<Extent> united(std::vector<Extent> extents);

} // namespace ezio

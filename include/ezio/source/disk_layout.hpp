// SPDX-License-Identifier: GPL-2.0-or-later
//
// What of a whole disk is carried, given what is carried of each partition.
//
// The rest of a disk, between the partitions and around them, is small and holds what makes it boot: the
// partition table with its copy at the end, boot loaders behind it (GRUB's core in the first MiB, U-Boot a
// few MiB in), the records that logical partitions are chained with. A gap of up to largest_whole_gap is
// carried whole, of a larger one both ends; so is the beginning of every extended partition. What of the
// table may be in the middle of a larger one, partition_records knows.
#pragma once

#include "disk_contents.hpp"
#include "ezio/image/extent_map.hpp"
#include "ezio/util/units.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ezio {

inline constexpr std::uint64_t largest_whole_gap = 64_MiB;
inline constexpr std::uint64_t gap_end = 1_MiB; // carried of each end of a larger gap

// What is carried of a gap: all of it up to `largest_whole` bytes, of a larger one both ends.
[[nodiscard]] std::vector<Extent> carried_of_gap(const Extent& gap,
                                                 std::uint64_t largest_whole = largest_whole_gap);

// What of [0, size) is in none of the extents, which are in order and do not overlap.
[[nodiscard]] std::vector<Extent> gaps_between(const std::vector<Extent>& extents, std::uint64_t size);

struct UsedPartition {
    Partition partition;
    std::vector<Extent> used; // relative to its start; nothing for a container
};

// The extents to carry, in order, touching ones merged. `disk` is for messages.
// Throws Error (ExitStatus::target) when a partition ends behind the disk or two of them overlap.
[[nodiscard]] std::vector<Extent> disk_extents(const std::string& disk, std::uint64_t disk_size,
                                               std::vector<UsedPartition> partitions);

// The last bytes of something, up to 4 KiB, which an image has whatever is in them: so a copy is as long, and
// a target that is too small for it is refused.
[[nodiscard]] Extent tail_of(std::uint64_t size);

// The same bytes, in order, with overlapping and touching ones merged and without empty ones.
[[nodiscard]] std::vector<Extent> united(std::vector<Extent> extents);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/disk_layout.hpp"

#include "ezio/util/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ezio {

namespace {

void add_gap(std::vector<Extent>& extents, std::uint64_t begin, std::uint64_t end)
{
    const auto carried = carried_of_gap({begin, end - begin});
    extents.insert(extents.end(), carried.begin(), carried.end());
}

void refuse_outside(const std::string& disk, std::uint64_t disk_size, const Partition& partition)
{
    if (partition.start > disk_size || partition.size > disk_size - partition.start) {
        throw Error(
            ExitStatus::target,
            fmt::format("partition {} of {} ends beyond the disk, which has {} bytes; is the disk complete?",
                        partition.number, disk, disk_size));
    }
}

} // namespace

std::vector<Extent> carried_of_gap(const Extent& gap, std::uint64_t largest_whole)
{
    if (gap.length <= largest_whole) {
        return {gap};
    }
    return {{gap.offset, gap_end}, {gap.end() - gap_end, gap_end}};
}

std::vector<Extent> gaps_between(const std::vector<Extent>& extents, std::uint64_t size)
{
    std::vector<Extent> gaps;
    std::uint64_t end = 0;
    for (const Extent& extent : extents) {
        if (extent.offset > end) {
            gaps.push_back({end, extent.offset - end});
        }
        end = extent.end();
    }
    if (end < size) {
        gaps.push_back({end, size - end});
    }
    return gaps;
}

Extent tail_of(std::uint64_t size)
{
    constexpr std::uint64_t tail = 4_KiB;
    return {size - std::min(tail, size), std::min(tail, size)};
}

std::vector<Extent> united(std::vector<Extent> extents)
{
    std::sort(extents.begin(), extents.end(),
              [](const Extent& a, const Extent& b) { return a.offset < b.offset; });
    std::vector<Extent> result;
    for (const Extent& extent : extents) {
        if (extent.length == 0) {
            continue;
        }
        if (!result.empty() && extent.offset <= result.back().end()) {
            result.back().length = std::max(result.back().end(), extent.end()) - result.back().offset;
        } else {
            result.push_back(extent);
        }
    }
    return result;
}

std::vector<Extent> disk_extents(const std::string& disk, std::uint64_t disk_size,
                                 std::vector<UsedPartition> partitions)
{
    std::sort(partitions.begin(), partitions.end(), [](const UsedPartition& a, const UsedPartition& b) {
        return a.partition.start < b.partition.start;
    });
    std::vector<Extent> extents;
    std::uint64_t end = 0; // of the partitions so far
    const Partition* last = nullptr;
    for (const auto& [partition, used] : partitions) {
        refuse_outside(disk, disk_size, partition);
        if (partition.is_container) {
            extents.push_back({partition.start, std::min(gap_end, partition.size)});
            continue;
        }
        if (partition.start < end) {
            throw Error(
                ExitStatus::target,
                fmt::format(
                    "partitions {} and {} of {} overlap; repair the table, or take every byte with --all",
                    last->number, partition.number, disk));
        }
        add_gap(extents, end, partition.start);
        for (const Extent& extent : used) {
            extents.push_back({partition.start + extent.offset, extent.length});
        }
        end = partition.start + partition.size;
        last = &partition;
    }
    add_gap(extents, end, disk_size);
    return united(std::move(extents));
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "map_check.hpp"

#include "ezio/source/superblock.hpp"
#include "ezio/util/page_buffer.hpp"
#include "ezio/util/units.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace ezio {

namespace {

std::uint64_t excess(std::uint64_t counted, std::uint64_t mapped)
{
    return counted - std::min(counted, mapped);
}

// The length of [begin, end) that is in the extents.
std::uint64_t length_within(const std::vector<Extent>& extents, std::uint64_t begin, std::uint64_t end)
{
    auto extent = std::partition_point(extents.begin(), extents.end(),
                                       [&](const Extent& each) { return each.end() <= begin; });
    std::uint64_t length = 0;
    for (; extent != extents.end() && extent->offset < end; ++extent) {
        length += std::min(extent->end(), end) - std::max(extent->offset, begin);
    }
    return length;
}

class Counter {
  public:
    Counter(const std::vector<Extent>& used, const SourceDisk& disk, std::uint64_t offset,
            const std::function<void()>& tick)
        : m_used(used), m_disk(disk), m_offset(offset), m_tick(tick)
    {}

    [[nodiscard]] std::uint64_t missing_in_ext() const;
    [[nodiscard]] std::uint64_t missing_in_xfs() const;
    [[nodiscard]] std::uint64_t missing_in_btrfs() const;
    [[nodiscard]] std::uint64_t missing_in_fat() const;

  private:
    [[nodiscard]] std::array<std::byte, superblock_bytes> at(std::uint64_t offset) const
    {
        return read_superblock(m_disk, m_offset + offset);
    }
    [[nodiscard]] std::uint64_t used_clusters(const FatLayout& fat) const;

    const std::vector<Extent>& m_used;
    const SourceDisk& m_disk;
    const std::uint64_t m_offset; // of the file system
    const std::function<void()>& m_tick;
};

std::uint64_t Counter::missing_in_ext() const
{
    return excess(ext_used_bytes(at(ext_superblock_offset)), total_length(m_used));
}

std::uint64_t Counter::missing_in_btrfs() const
{
    return excess(btrfs_used_bytes(at(btrfs_superblock_offset)), total_length(m_used));
}

std::uint64_t Counter::missing_in_xfs() const
{
    const XfsLayout xfs = xfs_layout(at(xfs_superblock_offset));
    std::uint64_t missing = 0;
    for (std::uint64_t group = 0; group < xfs.groups; ++group) {
        m_tick();
        const std::uint64_t begin = group * xfs.group_bytes;
        if (begin + xfs.group_header + superblock_bytes > m_disk.size - m_offset) {
            break;
        }
        const auto count = xfs_group_count(at(begin + xfs.group_header));
        if (count) {
            missing += excess(count->used * xfs.block_bytes,
                              length_within(m_used, begin, begin + count->length * xfs.block_bytes));
        }
    }
    return missing;
}

std::uint64_t Counter::used_clusters(const FatLayout& fat) const
{
    std::uint64_t used = 0;
    PageBuffer buffer(1_MiB);
    for (std::uint64_t at = 0; at < fat.table.length; at += buffer.size()) {
        m_tick();
        const auto part =
            std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), fat.table.length - at));
        read_source(m_disk, m_offset + fat.table.offset + at, part);
        used += used_fat_entries(part, fat.entry_bytes);
    }
    return used;
}

std::uint64_t Counter::missing_in_fat() const
{
    const auto fat = fat_layout(at(fat_superblock_offset));
    if (!fat || fat->table.end() > m_disk.size - m_offset) {
        return 0;
    }
    return excess(fat->data_begin + used_clusters(*fat) * fat->cluster_bytes, total_length(m_used));
}

} // namespace

std::uint64_t bytes_missing(const std::vector<Extent>& used, const SourceDisk& disk, std::uint64_t offset,
                            const std::string& type, const std::function<void()>& tick)
{
    const Counter counter(used, disk, offset, tick);
    if (type.starts_with("ext")) {
        return counter.missing_in_ext();
    }
    if (type == "xfs") {
        return counter.missing_in_xfs();
    }
    if (type == "btrfs") {
        return counter.missing_in_btrfs();
    }
    return type == "vfat" ? counter.missing_in_fat() : 0;
}

} // namespace ezio

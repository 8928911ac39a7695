// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/image/extent_map.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <numeric>

namespace ezio {

namespace {

void refuse_overlaps(const std::vector<Extent>& sorted)
{
    for (std::size_t i = 1; i < sorted.size(); ++i) {
        if (sorted[i].offset < sorted[i - 1].end()) {
            throw Error(ExitStatus::torrent,
                        fmt::format("extents overlap: {:#x} + {} bytes and {:#x} + {} bytes",
                                    sorted[i - 1].offset, sorted[i - 1].length, sorted[i].offset,
                                    sorted[i].length));
        }
    }
}

std::vector<Extent> merge_touching(const std::vector<Extent>& sorted)
{
    std::vector<Extent> merged;
    for (const Extent& extent : sorted) {
        if (!merged.empty() && merged.back().end() == extent.offset) {
            merged.back().length += extent.length;
        } else {
            merged.push_back(extent);
        }
    }
    return merged;
}

} // namespace

std::uint64_t total_length(std::span<const Extent> extents)
{
    return std::accumulate(extents.begin(), extents.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Extent& extent) { return sum + extent.length; });
}

std::optional<std::uint64_t> parse_extent_name(std::string_view name)
{
    const bool valid_length = name.size() == 16 || name.size() == 32;
    return valid_length ? parse_number<std::uint64_t>(name, 16) : std::nullopt;
}

ExtentMap::ExtentMap(const std::vector<Extent>& extents, const std::vector<Extent>& padding)
{
    auto pad = padding.begin();
    const auto add_padding_here = [&] {
        for (; pad != padding.end() && pad->offset == m_payload_size; ++pad) {
            add_padding(pad->length);
        }
    };
    std::vector<Extent> sorted;
    sorted.reserve(extents.size());
    for (const Extent& extent : extents) {
        add_padding_here();
        if (extent.length > 0) {
            add_extent(extent);
            sorted.push_back(extent);
        }
    }
    add_padding_here();
    assert(pad == padding.end());
    std::sort(sorted.begin(), sorted.end(),
              [](const Extent& a, const Extent& b) { return a.offset < b.offset; });
    refuse_overlaps(sorted); // after this check the payload's size cannot have wrapped
    m_used = merge_touching(sorted);
}

void ExtentMap::add_extent(const Extent& extent)
{
    if (extent.offset > largest_offset || extent.length > largest_offset - extent.offset) {
        throw Error(ExitStatus::torrent,
                    fmt::format("extent {:#x} + {} bytes ends beyond the largest possible device",
                                extent.offset, extent.length));
    }
    const bool continues_run = !m_runs.empty() &&
                               m_runs.back().payload_offset + m_runs.back().length == m_payload_size &&
                               m_runs.back().device_offset + m_runs.back().length == extent.offset;
    if (continues_run) {
        m_runs.back().length += extent.length;
    } else {
        m_runs.push_back({m_payload_size, extent.offset, extent.length});
    }
    m_payload_size += extent.length;
}

void ExtentMap::add_padding(std::uint64_t length)
{
    if (length > largest_offset - std::min(m_payload_size, largest_offset)) {
        throw Error(ExitStatus::torrent, fmt::format("its padding of {} bytes is impossibly large", length));
    }
    m_payload_size += length;
    m_padding_bytes += length;
}

std::uint64_t ExtentMap::device_end() const
{
    return m_used.empty() ? 0 : m_used.back().end();
}

std::uint64_t ExtentMap::largest_sector() const
{
    std::uint64_t bits = 65536;
    for (const Extent& extent : m_used) {
        bits |= extent.offset | extent.length;
    }
    return std::max<std::uint64_t>(512, bits & (~bits + 1)); // the lowest bit set in any of them
}

void ExtentMap::for_each(std::uint64_t payload_offset, std::uint64_t length,
                         const std::function<void(const Range&)>& visit) const
{
    assert(payload_offset <= m_payload_size && length <= m_payload_size - payload_offset);
    const std::uint64_t end = payload_offset + length;
    auto run = std::partition_point(m_runs.begin(), m_runs.end(), [&](const Range& each) {
        return each.payload_offset + each.length <= payload_offset;
    });
    for (; run != m_runs.end() && run->payload_offset < end; ++run) {
        const std::uint64_t from = std::max(run->payload_offset, payload_offset);
        const std::uint64_t to = std::min(run->payload_offset + run->length, end);
        if (from < to) {
            visit({from, run->device_offset + (from - run->payload_offset), to - from});
        }
    }
}

std::vector<ExtentMap::Range> ExtentMap::ranges(std::uint64_t payload_offset, std::uint64_t length) const
{
    std::vector<Range> found;
    for_each(payload_offset, length, [&](const Range& range) { found.push_back(range); });
    return found;
}

std::optional<std::uint64_t> ExtentMap::device_offset(std::uint64_t payload_offset) const
{
    std::optional<std::uint64_t> found;
    for_each(payload_offset, 1, [&](const Range& range) { found = range.device_offset; });
    return found;
}

std::vector<Extent> ExtentMap::padding() const
{
    std::vector<Extent> found;
    std::uint64_t at = 0;
    const auto add_until = [&](std::uint64_t offset) {
        if (at < offset) {
            found.push_back({at, offset - at});
        }
    };
    for (const Range& run : m_runs) {
        add_until(run.payload_offset);
        at = run.payload_offset + run.length;
    }
    add_until(m_payload_size);
    return found;
}

void ExtentMap::clear_padding(std::uint64_t payload_offset, std::span<std::byte> data) const
{
    if (m_padding_bytes == 0) {
        return;
    }
    std::size_t at = 0; // in `data`
    const auto clear_until = [&](std::uint64_t end) {
        std::ranges::fill(data.subspan(at, end - at), std::byte{0});
    };
    for_each(payload_offset, data.size(), [&](const Range& range) {
        clear_until(range.payload_offset - payload_offset);
        at = range.payload_offset - payload_offset + range.length;
    });
    clear_until(data.size());
}

void for_each_unit_of_padding(const ExtentMap& map, std::uint64_t unit_bytes,
                              const std::function<void(std::uint64_t unit)>& visit)
{
    for (const Extent& stretch : map.padding()) {
        const bool is_last = stretch.end() == map.payload_size(); // a short unit ends with the payload
        const std::uint64_t end = (stretch.end() + (is_last ? unit_bytes - 1 : 0)) / unit_bytes;
        for (std::uint64_t unit = (stretch.offset + unit_bytes - 1) / unit_bytes; unit < end; ++unit) {
            visit(unit);
        }
    }
}

} // namespace ezio

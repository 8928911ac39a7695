// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/transfer/discard.hpp"

#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ezio {

namespace {

// The kernel cannot be interrupted while it discards one range.
constexpr std::uint64_t longest_discard = 4_GiB;

} // namespace

std::vector<Extent> unused_ranges(const std::vector<Extent>& used, std::uint64_t size,
                                  std::uint64_t alignment, std::uint64_t longest)
{
    std::vector<Extent> ranges;
    const auto add = [&](std::uint64_t from, std::uint64_t to) {
        from = (from + alignment - 1) / alignment * alignment;
        to = to / alignment * alignment;
        for (; from < to; from += longest) {
            ranges.push_back({from, std::min(longest, to - from)});
        }
    };
    std::uint64_t end = 0;
    for (const Extent& extent : used) {
        add(end, std::min(extent.offset, size));
        end = extent.end();
    }
    add(end, size);
    return ranges;
}

void discard_unused(Target& target, const ExtentMap& map, Reporter& reporter, const StopSignal& stop)
{
    const auto geometry = target.discard_geometry();
    if (!geometry) {
        reporter.warning(
            fmt::format("--discard: {} cannot discard; its unused blocks stay as they are", target.path()));
        return;
    }
    for (const Extent& range :
         unused_ranges(map.used(), geometry->size, geometry->alignment, longest_discard)) {
        stop.throw_if_received();
        if (const auto failed = target.discard(range.offset, range.length)) {
            reporter.warning(fmt::format("--discard: {}; the rest stays as it is", failed->message()));
            return;
        }
    }
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tracks the ranges in write-back from the page cache to the medium. Dirty pages must not pile up until the
// last sync: write-back of each range is started as soon as it is written, and once more than a limit is in
// progress, the oldest ranges are waited for. The final sync then has at most the limit to write.
#pragma once

#include "ezio/image/extent_map.hpp"

#include <cstdint>
#include <deque>
#include <vector>

namespace ezio {

// Not thread-safe.
class WriteBehind {
  public:
    explicit WriteBehind(std::uint64_t limit_bytes) : m_limit(limit_bytes) {}

    // Records a range whose write-back was started, with `bytes` to write in it. Returns the ranges to wait
    // for now, the oldest first.
    [[nodiscard]] std::vector<Extent> started(const Extent& range, std::uint64_t bytes);

  private:
    const std::uint64_t m_limit;
    struct Started {
        Extent range;
        std::uint64_t bytes;
    };
    std::deque<Started> m_on_the_way;
    std::uint64_t m_bytes = 0;
};

} // namespace ezio

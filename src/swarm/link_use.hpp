// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/clock.hpp"

#include <cstdint>

namespace ezio {

// Whether a seeder sends much less than it has been seen to send: then its link has room for what was to be
// passed on by others, who are slow. Not thread-safe. Times do not go back.
class LinkUse {
  public:
    static constexpr milliseconds window{2000};
    static constexpr double always_little = 1 << 20; // bytes per second: no LAN is as slow

    explicit LinkUse(Clock::time_point now) : m_since(now) {}

    void sent(std::uint64_t bytes) { m_bytes += bytes; } // on the wire

    // To be called about once a second.
    void observe(Clock::time_point now);

    // Less than a quarter of the most, in the last window. The most is over two: at first buffers are filled.
    [[nodiscard]] bool is_little() const { return m_little; }

  private:
    Clock::time_point m_since;
    std::uint64_t m_bytes = 0; // sent since then
    double m_last = 0;         // bytes per second, in the window before
    double m_most = 0;
    bool m_little = false;
};

} // namespace ezio

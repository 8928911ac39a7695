// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/clock.hpp"

#include <cstdint>

namespace ezio {

// Whether a seeder sends much less than it has shown it can: its link then has room for data that slow peers
// should have passed on. Not thread-safe. Time must not go backwards.
class LinkUse {
  public:
    static constexpr milliseconds window{2000};
    static constexpr double always_little = 1 << 20; // bytes per second: less than any LAN

    explicit LinkUse(Clock::time_point now) : m_since(now) {}

    void sent(std::uint64_t bytes) { m_bytes += bytes; } // on the wire

    // To be called about once a second.
    void observe(Clock::time_point now);

    // In the last window it sent less than a quarter of the maximum, which is taken over two windows, because
    // buffers are filled first.
    [[nodiscard]] bool is_little() const { return m_little; }

  private:
    Clock::time_point m_since;
    std::uint64_t m_bytes = 0; // since the start of the window
    double m_last = 0;         // bytes per second in the previous window
    double m_most = 0;
    bool m_little = false;
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds out by trying whether compression is faster than none. During a try nothing is compressed. Then
// either compression stays off for a while, or there is no further try for a while; both times grow with each
// result.
#pragma once

#include "ezio/util/clock.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace ezio {

// Not thread-safe. The caller passes the time.
class TryWithout {
  public:
    enum class Mode { on, trying_without, off };

    // `off_for`: how long compression stays off the first time.
    explicit TryWithout(std::chrono::seconds off_for) : m_off_for(off_for) {}

    [[nodiscard]] Mode mode() const { return m_mode; }

    // Not too soon after a try without a gain.
    [[nodiscard]] bool may_begin(Clock::time_point now) const { return !m_until || now >= *m_until; }
    void begin() { m_mode = Mode::trying_without; }

    // The rates, in bytes per second, before and during the try. Returns how long compression is to stay off,
    // if that was clearly faster.
    [[nodiscard]] std::optional<std::chrono::seconds> end(double rate_with, double rate_without,
                                                          Clock::time_point now)
    {
        constexpr double clearly = 1.05;
        const bool is_better = rate_without > clearly * rate_with;
        std::chrono::seconds& next = is_better ? m_off_for : m_no_try_for;
        const std::chrono::seconds time = next;
        next = std::min(next * 2, longest);
        m_mode = is_better ? Mode::off : Mode::on;
        m_until = now + time;
        return is_better ? std::optional(time) : std::nullopt;
    }

    // Whether the time without compression is over.
    [[nodiscard]] bool is_over(Clock::time_point now) const { return m_mode == Mode::off && now >= *m_until; }

    // Compresses again. The next try may begin at once.
    void turn_on()
    {
        m_mode = Mode::on;
        m_until.reset();
    }

  private:
    static constexpr std::chrono::seconds longest{60};

    Mode m_mode = Mode::on;
    std::chrono::seconds m_off_for;           // next time
    std::chrono::seconds m_no_try_for{10};    // next time
    std::optional<Clock::time_point> m_until; // end of the time without compression, or without a try
};

} // namespace ezio

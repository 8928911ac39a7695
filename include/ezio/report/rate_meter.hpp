// SPDX-License-Identifier: GPL-2.0-or-later
//
// Rates and remaining times that are steady enough to read.
#pragma once

#include "ezio/util/clock.hpp"

#include <cstdint>
#include <optional>

namespace ezio {

// A smoothed rate: an exponentially weighted mean over about `window` seconds.
class RateMeter {
  public:
    explicit RateMeter(double seconds = 5) : m_window(seconds) {}

    void observe(std::uint64_t bytes, Clock::time_point now);
    [[nodiscard]] double per_second() const { return m_rate; }

  private:
    std::optional<Clock::time_point> m_last;
    std::uint64_t m_bytes = 0;
    double m_window; // seconds
    double m_rate = 0;
    double m_weight = 0; // of the observations, 0 to 1
};

// Seconds until the rest is done; empty if the rate is too small to tell.
[[nodiscard]] std::optional<double> seconds_left(std::uint64_t done, std::uint64_t total, double rate);

// The remaining time for display: counts down evenly and follows a change of the rate gradually.
class TimeLeft {
  public:
    void observe(std::uint64_t done, std::uint64_t total, Clock::time_point now);

    // Empty while there are too few observations.
    [[nodiscard]] std::optional<double> seconds() const { return m_seconds; }

  private:
    RateMeter m_rate{15};
    std::optional<Clock::time_point> m_first;
    Clock::time_point m_last;
    std::optional<double> m_seconds;
};

} // namespace ezio

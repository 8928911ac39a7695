// SPDX-License-Identifier: GPL-2.0-or-later
//
// How fast it goes, and how long it will still take: numbers that settle, so that people can read them.
#pragma once

#include "ezio/util/clock.hpp"

#include <cstdint>
#include <optional>

namespace ezio {

// A rate that settles: an exponentially weighted mean over about so many seconds.
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
    double m_weight = 0; // of what was observed, 0 to 1
};

// Seconds until the rest is done; empty while the rate says nothing.
[[nodiscard]] std::optional<double> seconds_left(std::uint64_t done, std::uint64_t total, double rate);

// The time that is left, for people: it counts down evenly, and follows a change of the rate by and by.
class TimeLeft {
  public:
    void observe(std::uint64_t done, std::uint64_t total, Clock::time_point now);

    // Empty while too little has been seen.
    [[nodiscard]] std::optional<double> seconds() const { return m_seconds; }

  private:
    RateMeter m_rate{15};
    std::optional<Clock::time_point> m_first;
    Clock::time_point m_last;
    std::optional<double> m_seconds;
};

} // namespace ezio

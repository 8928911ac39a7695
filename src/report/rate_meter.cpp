// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/report/rate_meter.hpp"

#include <algorithm>
#include <cmath>

namespace ezio {

void RateMeter::observe(std::uint64_t bytes, Clock::time_point now)
{
    if (m_last) {
        const double seconds = std::chrono::duration<double>(now - *m_last).count();
        if (seconds < 0.05) {
            return; // too short to be meaningful
        }
        const double share = 1 - std::exp(-seconds / m_window);
        const double current = static_cast<double>(bytes - m_bytes) / seconds;
        m_weight += share * (1 - m_weight);
        m_rate += share / m_weight * (current - m_rate); // at the start, the mean of all observations
    }
    m_last = now;
    m_bytes = bytes;
}

std::optional<double> seconds_left(std::uint64_t done, std::uint64_t total, double rate)
{
    if (rate < 1 || done > total) {
        return std::nullopt;
    }
    return static_cast<double>(total - done) / rate;
}

void TimeLeft::observe(std::uint64_t done, std::uint64_t total, Clock::time_point now)
{
    constexpr double first_estimate = 2; // seconds after the start
    constexpr double settling = 4;       // seconds in which most of a change is followed
    m_rate.observe(done, now);
    if (!m_first) {
        m_first = m_last = now;
    }
    const double passed = std::chrono::duration<double>(now - m_last).count();
    m_last = now;
    const auto estimate = seconds_left(done, total, m_rate.per_second());
    if (!estimate || std::chrono::duration<double>(now - *m_first).count() < first_estimate) {
        m_seconds.reset();
        return;
    }
    const double expected = m_seconds ? std::max(0.0, *m_seconds - passed) : *estimate;
    m_seconds = expected + (*estimate - expected) * (1 - std::exp(-passed / settling));
}

} // namespace ezio

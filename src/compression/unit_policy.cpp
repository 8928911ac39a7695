// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit_policy.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace ezio {

namespace {

// The relative time of the next level, measured on a system's files.
constexpr std::array<double, UnitPolicy::levels - 1> costs{2.1, 1.4, 1.5};
constexpr std::array<const char*, UnitPolicy::levels> names{"lz4", "zstd -1", "zstd 1", "zstd 3"};

constexpr double seldom_starved = 0.02; // of the units
constexpr double often_starved = 0.2;
constexpr double most_busy = 0.8; // expected on the next level
constexpr double rather_busy = 0.6;
constexpr unsigned periods_to_go_up = 10;
constexpr unsigned periods_to_go_down = 3;

// In the first periods of a try, units that were compressed before are still sent.
constexpr unsigned periods_of_a_try = 6;
constexpr unsigned periods_not_counted = 2;

} // namespace

void UnitPolicy::observe(const SendingSample& sample, Clock::time_point now)
{
    if (m_try.mode() == TryWithout::Mode::on) {
        look_at_level(sample, now);
    } else if (m_try.mode() == TryWithout::Mode::trying_without) {
        look_at_try(sample, now);
    } else if (m_try.is_over(now)) {
        turn_on();
    }
}

void UnitPolicy::look_at_level(const SendingSample& sample, Clock::time_point now)
{
    if (sample.units == 0 || sample.seconds <= 0) {
        return;
    }
    constexpr double weight = 0.1;
    m_rate +=
        (static_cast<double>(sample.payload_bytes) / sample.seconds - m_rate) * (m_rate == 0 ? 1 : weight);
    const double starved = sample.is_limited ? 0 : static_cast<double>(sample.starved) / sample.units;
    const bool up =
        m_level + 1 < levels && starved < seldom_starved && sample.busy * costs.at(m_level) < most_busy;
    const bool slow =
        sample.is_limited ? sample.busy > 0.95 : starved > often_starved && sample.busy > rather_busy;
    m_periods_up = up ? m_periods_up + 1 : 0;
    m_periods_down = slow ? m_periods_down + 1 : 0;
    m_periods_busy = !sample.is_limited && sample.busy > rather_busy ? m_periods_busy + 1 : 0;
    if (m_periods_up >= periods_to_go_up) {
        change_level(m_level + 1, "the network is the bottleneck");
    } else if (m_periods_down >= periods_to_go_down && m_level > 0) {
        change_level(m_level - 1, "the network waits for compression");
    } else if (m_periods_busy >= periods_to_go_down && m_level == 0 && m_try.may_begin(now)) {
        begin_try();
    }
}

void UnitPolicy::change_level(unsigned level, const char* why)
{
    m_level = level;
    m_periods_up = 0;
    m_periods_down = 0;
    m_reason = fmt::format("compressing with {} from now on: {}", names.at(level), why);
}

void UnitPolicy::begin_try()
{
    m_try.begin();
    m_periods_up = 0;
    m_periods_down = 0;
    m_periods_busy = 0;
    m_periods_tried = 0;
    m_tried_bytes = 0;
    m_tried_seconds = 0;
}

void UnitPolicy::look_at_try(const SendingSample& sample, Clock::time_point now)
{
    if (++m_periods_tried > periods_not_counted) {
        m_tried_bytes += sample.payload_bytes;
        m_tried_seconds += sample.seconds;
    }
    if (m_periods_tried < periods_of_a_try) {
        return;
    }
    const double rate = m_tried_seconds > 0 ? static_cast<double>(m_tried_bytes) / m_tried_seconds : 0;
    if (const auto off_for = m_try.end(m_rate, rate, now)) {
        m_reason = fmt::format("compressing nothing for {} s: the network is faster than compression",
                               off_for->count());
    }
}

void UnitPolicy::turn_on()
{
    m_try.turn_on();
    m_level = 0;
    m_rate = 0;
}

std::optional<std::string> UnitPolicy::take_reason()
{
    return std::exchange(m_reason, std::nullopt);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "intake_policy.hpp"

#include <fmt/format.h>

#include <utility>

namespace ezio {

namespace {

constexpr double too_busy = 0.9;
constexpr unsigned seconds_to_try = 2;   // in a row
constexpr unsigned seconds_of_a_try = 2; // units that were on their way still arrive in the first one

double rate_of(const ReceivingSample& sample)
{
    return static_cast<double>(sample.payload_bytes) / sample.seconds;
}

} // namespace

void IntakePolicy::observe(const ReceivingSample& sample, Clock::time_point now)
{
    late(sample.late_bytes);
    if (sample.seconds <= 0) {
        return;
    }
    if (m_disk_is_behind) { // the network cannot be judged then
        if (m_try.mode() == TryWithout::Mode::trying_without) {
            m_try.turn_on();
        }
        m_periods_busy = 0;
        return;
    }
    if (m_try.mode() == TryWithout::Mode::on) {
        look_for_busy(sample, now);
    } else if (m_try.mode() == TryWithout::Mode::trying_without) {
        look_at_try(sample, now);
    } else if (m_try.is_over(now)) {
        m_try.turn_on();
        m_periods_busy = 0;
    }
}

void IntakePolicy::late(std::uint64_t bytes)
{
    if (!m_disk_is_behind && bytes > m_most_late) {
        m_disk_is_behind = true;
        m_reason =
            "requesting plain blocks for now: the disk is behind, and units waiting for it need memory";
    } else if (m_disk_is_behind && bytes <= m_most_late / 4) {
        m_disk_is_behind = false;
    }
}

void IntakePolicy::look_for_busy(const ReceivingSample& sample, Clock::time_point now)
{
    const bool busy = sample.busy > too_busy && 2 * sample.unit_bytes > sample.payload_bytes;
    m_periods_busy = busy ? m_periods_busy + 1 : 0;
    if (m_periods_busy >= seconds_to_try && m_try.may_begin(now)) {
        m_try.begin();
        m_rate = rate_of(sample);
        m_periods_tried = 0;
    }
}

void IntakePolicy::look_at_try(const ReceivingSample& sample, Clock::time_point now)
{
    if (++m_periods_tried < seconds_of_a_try) {
        return;
    }
    if (const auto off_for = m_try.end(m_rate, rate_of(sample), now)) {
        m_reason = fmt::format("requesting plain blocks for {} s: the network is faster than unpacking",
                               off_for->count());
    }
    m_periods_busy = 0;
}

std::optional<std::string> IntakePolicy::take_reason()
{
    return std::exchange(m_reason, std::nullopt);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/transfer_policy.hpp"

#include "ezio/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ezio {

bool may_leave(milliseconds since_complete, milliseconds since_needed, milliseconds seed_time)
{
    return since_complete >= seed_time || since_needed >= leave_grace;
}

milliseconds search_interval(milliseconds lonely)
{
    using namespace std::chrono_literals;
    if (lonely == 0ms) {
        return 1min;
    }
    return lonely < 2min ? 3s : 30s;
}

bool seed_may_leave(const SeedingFacts& facts, const SeedingLimits& limits)
{
    return (limits.seed_time && facts.since_start >= *limits.seed_time) ||
           (limits.idle_timeout && facts.since_sent >= *limits.idle_timeout) ||
           (limits.clients && facts.clients_complete >= *limits.clients);
}

std::string describe_wait(const SwarmFacts& facts)
{
    if (facts.target_hangs) {
        return "the target does not finish a write";
    }
    if (facts.peers > 0) {
        return facts.peers_with_data > 0
                   ? fmt::format("data is at {} of {}, but none is sent", facts.peers_with_data,
                                 counted(facts.peers, "connected peer"))
                   : fmt::format("{} connected, but without any data", counted(facts.peers, "peer"));
    }
    std::string tried = fmt::format("{} --peer, {}, local discovery {}", facts.named_peers,
                                    counted(facts.trackers, "tracker"), facts.lsd ? "on" : "off");
    if (!facts.last_tracker_error.empty()) {
        tried += "; tracker: " + facts.last_tracker_error;
    }
    if (!facts.last_refusal.empty()) {
        tried += "; refused: " + facts.last_refusal;
    }
    if (facts.banned_peers > 0) {
        tried += fmt::format("; {} dropped for sending wrong data", facts.banned_peers);
    }
    return fmt::format("no peer is connected (tried: {})", tried);
}

void RateMeter::observe(std::uint64_t bytes, Clock::time_point now)
{
    if (m_last) {
        const double seconds = std::chrono::duration<double>(now - *m_last).count();
        if (seconds < 0.05) {
            return; // too short to say anything
        }
        const double share = 1 - std::exp(-seconds / m_window);
        const double current = static_cast<double>(bytes - m_bytes) / seconds;
        m_weight += share * (1 - m_weight);
        m_rate += share / m_weight * (current - m_rate); // at the start, the mean of what there is
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

// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer_policy.hpp"

#include "ezio/util/units.hpp"

#include <fmt/format.h>

namespace ezio {

namespace {

constexpr const char* seed_time_over = "its seed time is over";

std::string not_complete(const WaitingFacts& facts, milliseconds timeout)
{
    return fmt::format("not complete after {} ({} of {} done)", format_duration(timeout),
                       format_bytes(facts.done_bytes), format_bytes(facts.total_bytes));
}

std::string no_data(milliseconds stall_timeout)
{
    return "no data for " + format_duration(stall_timeout);
}

std::string nothing_sent(milliseconds idle_timeout)
{
    return "nothing was sent for " + format_duration(idle_timeout);
}

} // namespace

std::optional<std::string> may_leave(milliseconds since_complete, milliseconds since_needed,
                                     milliseconds seed_time)
{
    if (since_complete >= seed_time) {
        return seed_time_over;
    }
    if (since_needed >= leave_grace) {
        return "no connected peer needs data";
    }
    return std::nullopt;
}

milliseconds search_interval(milliseconds lonely)
{
    using namespace std::chrono_literals;
    if (lonely == 0ms) {
        return 1min;
    }
    return lonely < 2min ? 3s : 30s;
}

std::optional<std::string> seed_may_leave(const SeedingFacts& facts, const SeedingLimits& limits)
{
    if (limits.clients && facts.clients_complete >= *limits.clients) {
        return counted(facts.clients_complete, "client") + (facts.clients_complete == 1 ? " is" : " are") +
               " complete";
    }
    if (limits.seed_time && facts.since_start >= *limits.seed_time) {
        return seed_time_over;
    }
    if (limits.idle_timeout && facts.since_sent >= *limits.idle_timeout) {
        return nothing_sent(*limits.idle_timeout);
    }
    return std::nullopt;
}

std::string describe_wait(const SwarmFacts& facts)
{
    if (facts.peers > 0) {
        return facts.peers_with_data > 0
                   ? fmt::format("data is at {} of {}, but none arrives; are large packets lost because a "
                                 "host has another MTU?",
                                 facts.peers_with_data, counted(facts.peers, "connected peer"))
                   : fmt::format("{} connected, but without data", counted(facts.peers, "peer"));
    }
    std::string tried = fmt::format("{} --peer, {}, local service discovery {}", facts.named_peers,
                                    counted(facts.trackers, "tracker"), facts.lsd ? "on" : "off");
    if (!facts.last_tracker_error.empty()) {
        tried += "; tracker: " + facts.last_tracker_error;
    }
    if (!facts.last_refusal.empty()) {
        tried += "; refused: " + facts.last_refusal;
    }
    if (facts.banned_peers > 0) {
        tried += fmt::format("; {} disconnected for sending wrong data", facts.banned_peers);
    }
    return fmt::format("no peer is connected (tried: {})", tried);
}

std::optional<std::string> waited_too_long(const WaitingFacts& facts, const WaitingLimits& limits,
                                           const std::string& waits_for)
{
    if (limits.timeout && facts.since_start >= *limits.timeout) {
        const bool moves = facts.has_begun && facts.since_moved < std::chrono::seconds(2);
        return fmt::format("{}: {}", not_complete(facts, *limits.timeout),
                           moves ? "it was still moving; allow more time" : waits_for);
    }
    if (limits.stall_timeout && facts.since_moved >= *limits.stall_timeout) {
        return fmt::format("{}: {}", no_data(*limits.stall_timeout), waits_for);
    }
    return std::nullopt;
}

std::optional<NextLimit> next_limit(const WaitingFacts& facts, const WaitingLimits& limits)
{
    std::optional<NextLimit> next;
    if (limits.timeout) {
        next = {*limits.timeout - facts.since_start, not_complete(facts, *limits.timeout)};
    }
    if (limits.stall_timeout) {
        const milliseconds left = *limits.stall_timeout - facts.since_moved;
        if (!next || left < next->left) {
            next = {left, no_data(*limits.stall_timeout)};
        }
    }
    return next;
}

std::optional<NextLimit> next_limit(const SeedingFacts& facts, const SeedingLimits& limits)
{
    std::optional<NextLimit> next;
    if (limits.seed_time) {
        next = {*limits.seed_time - facts.since_start, seed_time_over};
    }
    if (limits.idle_timeout) {
        const milliseconds left = *limits.idle_timeout - facts.since_sent;
        if (!next || left < next->left) {
            next = {left, nothing_sent(*limits.idle_timeout)};
        }
    }
    return next;
}

} // namespace ezio

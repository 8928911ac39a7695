// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/transfer_policy.hpp"

#include "catch.hpp"

#include <cmath>
#include <functional>

namespace ezio {

using namespace std::chrono_literals;
using Catch::Matchers::WithinAbs;

TEST_CASE("leaving: a complete fetch stays while somebody needs it, for as long as its seed time")
{
    CHECK_FALSE(may_leave(0ms, 0ms, 2min));
    CHECK_FALSE(may_leave(119s, 0ms, 2min));
    CHECK(may_leave(2min, 0ms, 2min));
    CHECK(may_leave(3min, 0ms, 2min));
}

TEST_CASE("leaving: a complete fetch leaves when nobody has needed it for a moment")
{
    CHECK_FALSE(may_leave(10s, leave_grace - 1ms, 2min));
    CHECK(may_leave(10s, leave_grace, 2min));
    CHECK(may_leave(leave_grace, leave_grace, 2min));
}

TEST_CASE("leaving: with a seed time of zero a complete fetch leaves at once")
{
    CHECK(may_leave(0ms, 0ms, 0ms));
}

TEST_CASE("leaving: a seed without limits stays")
{
    CHECK_FALSE(seed_may_leave({24h, 24h, 1000}, {}));
}

TEST_CASE("leaving: a seed leaves at the first of its limits")
{
    const SeedingLimits limits{1h, 10min, 5U};
    CHECK_FALSE(seed_may_leave({59min, 9min, 4}, limits));
    CHECK(seed_may_leave({1h, 0min, 0}, limits));
    CHECK(seed_may_leave({30min, 10min, 0}, limits));
    CHECK(seed_may_leave({30min, 0min, 5}, limits));
}

TEST_CASE("leaving: a seed time of zero is over at once")
{
    CHECK(seed_may_leave({0s, 0s, 0}, {0ms, std::nullopt, std::nullopt}));
}

TEST_CASE("stall clock: it runs from the start until something moves")
{
    const Clock::time_point start = Clock::now();
    StallClock clock(start);
    CHECK(clock.stalled_for(start) == 0ms);
    clock.observe(0, start + 3s); // nothing has moved yet
    CHECK(clock.stalled_for(start + 5s) == 5s);
}

TEST_CASE("stall clock: whatever moves starts it again")
{
    const Clock::time_point start = Clock::now();
    StallClock clock(start);
    clock.observe(1, start + 10s);
    CHECK(clock.stalled_for(start + 10s) == 0ms);
    clock.observe(1, start + 15s);
    CHECK(clock.stalled_for(start + 16s) == 6s);
    clock.observe(16385, start + 17s);
    CHECK(clock.stalled_for(start + 17500ms) == 500ms);
}

TEST_CASE("searching: it is done every few seconds at first, and less often once it has been in vain for long")
{
    CHECK(search_interval(1ms) == 3s);
    CHECK(search_interval(119s) == 3s);
    CHECK(search_interval(2min) == 30s);
    CHECK(search_interval(0ms) == 1min); // somebody is there
}

TEST_CASE("waiting: without a peer it is said what was tried")
{
    SwarmFacts facts;
    CHECK(describe_wait(facts) == "no peer is connected (tried: 0 --peer, 0 trackers, local discovery off)");
    facts.named_peers = 2;
    facts.trackers = 1;
    facts.lsd = true;
    CHECK(describe_wait(facts) == "no peer is connected (tried: 2 --peer, 1 tracker, local discovery on)");
}

TEST_CASE("waiting: what the tracker said last is passed on")
{
    SwarmFacts facts;
    facts.trackers = 1;
    facts.last_tracker_error = "http://a/announce: Connection refused";
    CHECK(describe_wait(facts) == "no peer is connected (tried: 0 --peer, 1 tracker, local discovery off; "
                                  "tracker: http://a/announce: Connection refused)");
}

TEST_CASE("waiting: peers that were refused or dropped are the reason, too")
{
    SwarmFacts facts;
    facts.named_peers = 1;
    facts.last_refusal = "10.0.0.7: certificate verify failed";
    facts.banned_peers = 1;
    CHECK(describe_wait(facts) == "no peer is connected (tried: 1 --peer, 0 trackers, local discovery off; "
                                  "refused: 10.0.0.7: certificate verify failed; "
                                  "1 dropped for sending wrong data)");
}

TEST_CASE("waiting: peers without data are told from peers that send none")
{
    SwarmFacts facts;
    facts.peers = 3;
    CHECK(describe_wait(facts) == "3 peers connected, but without any data");
    facts.peers_with_data = 2;
    CHECK(describe_wait(facts) == "data is at 2 of 3 connected peers, but none is sent");
}

TEST_CASE("rate: nothing is known before the second observation")
{
    RateMeter rate;
    CHECK(rate.per_second() == 0);
    rate.observe(1000, Clock::now());
    CHECK(rate.per_second() == 0);
}

TEST_CASE("rate: a steady flow has its rate from the second observation on")
{
    const Clock::time_point start = Clock::now();
    RateMeter rate;
    for (unsigned i = 0; i < 40; ++i) {
        rate.observe(i * 250, start + i * 250ms);
        CHECK_THAT(rate.per_second(), WithinAbs(i == 0 ? 0 : 1000, 1e-6));
    }
}

TEST_CASE("rate: what was there before the first observation does not count")
{
    const Clock::time_point start = Clock::now();
    RateMeter rate;
    rate.observe(1'000'000, start);
    rate.observe(1'000'500, start + 1s);
    CHECK_THAT(rate.per_second(), WithinAbs(500, 1e-6));
}

TEST_CASE("rate: a new rate is taken on over some seconds, not at once")
{
    const Clock::time_point start = Clock::now();
    RateMeter rate;
    std::uint64_t bytes = 0;
    for (unsigned i = 0; i <= 60; ++i) {
        rate.observe(bytes += 1000, start + i * 1s);
    }
    rate.observe(bytes, start + 61s); // it has stopped
    CHECK(rate.per_second() < 900);
    CHECK(rate.per_second() > 700);
    for (unsigned i = 62; i < 90; ++i) {
        rate.observe(bytes, start + i * 1s);
    }
    CHECK(rate.per_second() < 10);
}

TEST_CASE("rate: observations that follow at once change nothing, and lose no bytes")
{
    const Clock::time_point start = Clock::now();
    RateMeter rate;
    rate.observe(0, start);
    rate.observe(1'000'000, start);
    rate.observe(1'000'000, start + 10ms);
    CHECK(rate.per_second() == 0);
    rate.observe(1'000'000, start + 1s);
    CHECK_THAT(rate.per_second(), WithinAbs(1'000'000, 1e-6));
}

TEST_CASE("time left: it is the rest at the present rate")
{
    CHECK(seconds_left(250, 1000, 10) == 75.0);
    CHECK(seconds_left(1000, 1000, 10) == 0.0);
}

TEST_CASE("time left: it is not known while the rate says nothing")
{
    CHECK_FALSE(seconds_left(0, 1000, 0));
    CHECK_FALSE(seconds_left(0, 1000, 0.5));
    CHECK_FALSE(seconds_left(2000, 1000, 10)); // more than all: not a state to compute with
}

TEST_CASE("waiting: a target that does not finish a write is what is waited for, whoever is connected")
{
    SwarmFacts facts;
    facts.peers = facts.peers_with_data = 3;
    facts.target_hangs = true;
    CHECK(describe_wait(facts) == "the target does not finish a write");
}

namespace {

// Bytes per second at each second, in quarters of a second, for `seconds`; the last estimate.
std::optional<double> estimate_after(TimeLeft& left, double seconds,
                                     const std::function<double(double)>& done_at)
{
    const Clock::time_point start{};
    for (double time = 0; time <= seconds; time += 0.25) {
        const auto done = static_cast<std::uint64_t>(done_at(time));
        left.observe(done, 1'000'000, start + std::chrono::milliseconds(static_cast<int>(time * 1000)));
    }
    return left.seconds();
}

} // namespace

TEST_CASE("time left: it is not told before it is known, and right at an even rate")
{
    TimeLeft left;
    CHECK_FALSE(estimate_after(left, 1.5, [](double time) { return 10'000 * time; }));
    TimeLeft longer;
    const auto seconds = estimate_after(longer, 20, [](double time) { return 10'000 * time; });
    REQUIRE(seconds);
    CHECK(std::abs(*seconds - 80) < 1);
}

TEST_CASE("time left: bursts do not make it jump")
{
    TimeLeft left;
    const auto bursts = [](double time) {
        return 10'000 * (std::floor(time / 2) * 2 + (time / 2 - std::floor(time / 2) > 0.5 ? 2 : 0));
    };
    (void)estimate_after(left, 30, bursts);
    double before = *left.seconds();
    const Clock::time_point start{};
    for (double time = 30.25; time < 60; time += 0.25) {
        left.observe(static_cast<std::uint64_t>(bursts(time)), 1'000'000,
                     start + std::chrono::milliseconds(static_cast<int>(time * 1000)));
        CHECK(std::abs(*left.seconds() - (before - 0.25)) < 2);
        before = *left.seconds();
    }
}

TEST_CASE("time left: a new rate is followed")
{
    TimeLeft left;
    const auto seconds = estimate_after(
        left, 80, [](double time) { return time < 20 ? 10'000 * time : 200'000 + 1000 * (time - 20); });
    REQUIRE(seconds);
    CHECK(*seconds > 500); // 740 at the new rate, 74 at the old one
}

} // namespace ezio

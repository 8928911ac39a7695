// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer/transfer_policy.hpp"

#include "catch.hpp"

#include "ezio/util/units.hpp"

namespace ezio {

using namespace std::chrono_literals;

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

TEST_CASE(
    "searching: it is done every few seconds at first, and less often once it has been in vain for long")
{
    CHECK(search_interval(1ms) == 3s);
    CHECK(search_interval(119s) == 3s);
    CHECK(search_interval(2min) == 30s);
    CHECK(search_interval(0ms) == 1min); // somebody is there
}

TEST_CASE("waiting: without a peer it is said what was tried")
{
    SwarmFacts facts;
    CHECK(describe_wait(facts) ==
          "no peer is connected (tried: 0 --peer, 0 trackers, local service discovery off)");
    facts.named_peers = 2;
    facts.trackers = 1;
    facts.lsd = true;
    CHECK(describe_wait(facts) ==
          "no peer is connected (tried: 2 --peer, 1 tracker, local service discovery on)");
}

TEST_CASE("waiting: what the tracker said last is passed on")
{
    SwarmFacts facts;
    facts.trackers = 1;
    facts.last_tracker_error = "http://a/announce: Connection refused";
    CHECK(describe_wait(facts) ==
          "no peer is connected (tried: 0 --peer, 1 tracker, local service discovery off; "
          "tracker: http://a/announce: Connection refused)");
}

TEST_CASE("waiting: peers that were refused or dropped are the reason, too")
{
    SwarmFacts facts;
    facts.named_peers = 1;
    facts.last_refusal = "10.0.0.7: certificate verify failed";
    facts.banned_peers = 1;
    CHECK(describe_wait(facts) ==
          "no peer is connected (tried: 1 --peer, 0 trackers, local service discovery off; "
          "refused: 10.0.0.7: certificate verify failed; "
          "1 disconnected for sending wrong data)");
}

TEST_CASE("waiting: peers without data are told from peers that send none")
{
    SwarmFacts facts;
    facts.peers = 3;
    CHECK(describe_wait(facts) == "3 peers connected, but without data");
    facts.peers_with_data = 2;
    CHECK(describe_wait(facts) ==
          "data is at 2 of 3 connected peers, but none arrives; are large packets lost "
          "because a host has another MTU?");
}

TEST_CASE("waiting: without limits a fetch waits")
{
    CHECK_FALSE(waited_too_long({24h, 24h, 0, 1_GiB}, {}, "it"));
}

TEST_CASE("waiting: what has come when the time is over is told")
{
    const WaitingLimits limits{10min, std::nullopt};
    CHECK_FALSE(waited_too_long({10min - 1ms, 10min, 0, 2_GiB}, limits, "the target"));
    CHECK(waited_too_long({10min, 2s, 1_GiB, 2_GiB, true}, limits, "the target") ==
          "not complete after 10 min (1.0 GiB of 2.0 GiB done): the target");
}

TEST_CASE("waiting: what still moves when the time is over waits for nothing")
{
    const WaitingLimits limits{10min, std::nullopt};
    CHECK(waited_too_long({10min, 1999ms, 1_GiB, 2_GiB, true}, limits, "no peer") ==
          "not complete after 10 min (1.0 GiB of 2.0 GiB done): it was still moving; allow more time");
    CHECK(waited_too_long({10min, 0ms, 0, 2_GiB, false}, limits, "no peer") ==
          "not complete after 10 min (0 B of 2.0 GiB done): no peer");
}

TEST_CASE("waiting: it is stalled when nothing has moved for so long")
{
    const WaitingLimits limits{std::nullopt, 90s};
    CHECK_FALSE(waited_too_long({10min, 90s - 1ms, 0, 1_GiB}, limits, "no peer"));
    CHECK(waited_too_long({10min, 90s, 0, 1_GiB}, limits, "no peer") == "no data for 90 s: no peer");
}

TEST_CASE("limits: the one that passes first when nothing moves any more")
{
    const WaitingFacts facts{10s, 4s, 1_GiB, 2_GiB, true};
    CHECK_FALSE(next_limit(facts, WaitingLimits{}));
    CHECK(next_limit(facts, WaitingLimits{30s, {}})->left == 20s);
    CHECK(next_limit(facts, WaitingLimits{{}, 5s})->left == 1s);
    const auto stall = next_limit(facts, WaitingLimits{30s, 5s});
    CHECK(stall->left == 1s);
    CHECK(stall->reason == "no data for 5 s");
    const auto timeout = next_limit(facts, WaitingLimits{9s, 5s});
    CHECK(timeout->left == -1s);
    CHECK(timeout->reason == "not complete after 9 s (1.0 GiB of 2.0 GiB done)");
}

TEST_CASE("limits: the one that passes first when a seed sends nothing any more")
{
    const SeedingFacts facts{10s, 4s, 0};
    CHECK_FALSE(next_limit(facts, SeedingLimits{{}, {}, 1U}));
    CHECK(next_limit(facts, SeedingLimits{30s, 5s, {}})->left == 1s);
    CHECK(next_limit(facts, SeedingLimits{30s, 5s, {}})->reason == "nothing was sent for 5 s");
    CHECK(next_limit(facts, SeedingLimits{10s, 5s, {}})->reason == "its seed time is over");
}

} // namespace ezio

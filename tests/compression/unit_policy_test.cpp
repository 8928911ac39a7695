// SPDX-License-Identifier: GPL-2.0-or-later
#include "compression/unit_policy.hpp"

#include "catch.hpp"

namespace ezio {

using namespace std::chrono_literals;

namespace {

// A policy, and the time that passes for it.
struct Rig {
    UnitPolicy policy;
    Clock::time_point now{};

    void observe(SendingSample sample, int periods = 1)
    {
        for (int i = 0; i < periods; ++i) {
            now += UnitPolicy::period;
            sample.seconds = 0.05;
            policy.observe(sample, now);
        }
    }

    // Until it does not try any more.
    void finish_try(std::uint64_t bytes_per_period)
    {
        REQUIRE_FALSE(policy.compresses());
        SendingSample sample;
        sample.payload_bytes = bytes_per_period;
        observe(sample, 6);
    }
};

SendingSample sample(unsigned starved, double busy, std::uint64_t bytes = 1'000'000)
{
    SendingSample made;
    made.payload_bytes = bytes;
    made.units = 100;
    made.starved = starved;
    made.busy = busy;
    return made;
}

const SendingSample easy = sample(0, 0.1);
const SendingSample too_slow = sample(50, 0.9);

} // namespace

TEST_CASE("unit policy: it begins with the fastest level")
{
    const Rig rig;
    CHECK(rig.policy.compresses());
    CHECK(rig.policy.level() == 0);
}

TEST_CASE("unit policy: while the network is the bottleneck it goes up, step by step, to the last level")
{
    Rig rig;
    rig.observe(easy, 9);
    CHECK(rig.policy.level() == 0);
    rig.observe(easy);
    CHECK(rig.policy.level() == 1);
    CHECK(rig.policy.take_reason() == "compressing with zstd -1 from now on: the network is the bottleneck");
    CHECK_FALSE(rig.policy.take_reason());
    rig.observe(easy, 10);
    CHECK(rig.policy.level() == 2);
    rig.observe(easy, 100);
    CHECK(rig.policy.level() == 3);
}

TEST_CASE("unit policy: it does not go where the threads would be too busy")
{
    Rig rig;
    rig.observe(sample(0, 0.39), 100); // 0.39 * 2.1 > 0.8
    CHECK(rig.policy.level() == 0);
    rig.observe(sample(3, 0.1), 100); // the network has waited, now and then
    CHECK(rig.policy.level() == 0);
    rig.observe(sample(0, 0.37), 10);
    CHECK(rig.policy.level() == 1);
}

TEST_CASE(
    "unit policy: one period that is different begins the count again, and one without units says nothing")
{
    Rig rig;
    rig.observe(easy, 9);
    rig.observe(sample(10, 0.1));
    rig.observe(easy, 9);
    CHECK(rig.policy.level() == 0);
    rig.observe({}, 50);
    rig.observe(easy);
    CHECK(rig.policy.level() == 1);
}

TEST_CASE("unit policy: when the network waits for busy threads it goes down")
{
    Rig rig;
    rig.observe(easy, 20);
    REQUIRE(rig.policy.level() == 2);
    rig.observe(sample(50, 0.5), 20); // they are not what is slow
    CHECK(rig.policy.level() == 2);
    rig.observe(too_slow, 3);
    CHECK(rig.policy.level() == 1);
    CHECK(rig.policy.compresses());
}

TEST_CASE("unit policy: on the lowest level it tries to do without, and stays away while that is faster")
{
    Rig rig;
    rig.observe(too_slow, 3);
    rig.finish_try(1'500'000);
    CHECK_FALSE(rig.policy.compresses());
    CHECK(rig.policy.take_reason() == "compressing nothing for 2 s: the network is faster than compression");
    const auto off_since = rig.now;
    while (!rig.policy.compresses()) {
        rig.observe({});
    }
    CHECK(rig.now - off_since == 2s);
    rig.observe(too_slow, 3);
    rig.finish_try(1'500'000);
    CHECK(rig.policy.take_reason() == "compressing nothing for 4 s: the network is faster than compression");
    for (int i = 0; i < 10; ++i) { // ever longer, to a minute
        while (!rig.policy.compresses()) {
            rig.observe({});
        }
        rig.observe(too_slow, 3);
        rig.finish_try(1'500'000);
    }
    CHECK(rig.policy.take_reason() == "compressing nothing for 60 s: the network is faster than compression");
}

TEST_CASE(
    "unit policy: it tries to do without also where only its threads are busy, and the network never waits")
{
    Rig rig;
    rig.observe(sample(0, 0.7), 3);
    rig.finish_try(1'500'000);
    CHECK_FALSE(rig.policy.compresses());
}

TEST_CASE("unit policy: where it is not faster without, it goes on, and does not try again for a while")
{
    Rig rig;
    rig.observe(too_slow, 3);
    rig.finish_try(1'040'000);
    CHECK(rig.policy.compresses());
    CHECK_FALSE(rig.policy.take_reason());
    rig.observe(too_slow, 199); // 10 s
    CHECK(rig.policy.compresses());
    rig.observe(too_slow, 2);
    rig.finish_try(1'040'000);
    rig.observe(too_slow, 390);
    CHECK(rig.policy.compresses());
}

TEST_CASE("unit policy: what was still being sent when a try began does not count")
{
    Rig rig;
    rig.observe(too_slow, 3);
    rig.observe(sample(0, 0, 9'000'000), 2);
    rig.observe(sample(0, 0, 1'000'000), 4);
    CHECK(rig.policy.compresses());
}

TEST_CASE("unit policy: with a limit on what is sent only the threads' time counts")
{
    Rig rig;
    SendingSample limited = sample(90, 0.1);
    limited.is_limited = true;
    rig.observe(limited, 10);
    CHECK(rig.policy.level() == 1);
    limited.busy = 1;
    rig.observe(limited, 3);
    CHECK(rig.policy.level() == 0);
    rig.observe(limited, 100);
    CHECK(rig.policy.compresses());
}

} // namespace ezio

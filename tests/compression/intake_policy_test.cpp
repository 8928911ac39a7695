// SPDX-License-Identifier: GPL-2.0-or-later
#include "compression/intake_policy.hpp"

#include "catch.hpp"

#include "ezio/util/units.hpp"

namespace ezio {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t memory = 4_MiB;

// A policy, and seconds that pass.
struct Rig {
    IntakePolicy policy{memory};
    Clock::time_point now{};

    void second(double busy, std::uint64_t payload, std::uint64_t late = 0)
    {
        now += IntakePolicy::period;
        const std::uint64_t units = policy.wants_units() ? payload : 0;
        policy.observe({1, payload, units, busy, late}, now);
    }

    void seconds(int count, double busy, std::uint64_t payload)
    {
        for (int i = 0; i < count; ++i) {
            second(busy, payload);
        }
    }

    // Returns how many pass until units are wanted, or not wanted.
    int seconds_until(bool wanted, double busy, std::uint64_t payload)
    {
        int count = 0;
        for (; policy.wants_units() != wanted && count < 1000; ++count) {
            second(busy, payload);
        }
        return count;
    }
};

} // namespace

TEST_CASE("intake policy: units are wanted, whatever comes, while the network thread has time")
{
    Rig rig;
    CHECK(rig.policy.wants_units());
    rig.seconds(100, 0.85, 500_MiB);
    CHECK(rig.policy.wants_units());
    CHECK_FALSE(rig.policy.take_reason());
}

TEST_CASE("intake policy: one busy second is no reason to try without")
{
    Rig rig;
    for (int i = 0; i < 20; ++i) {
        rig.second(1, 500_MiB);
        REQUIRE(rig.policy.wants_units());
        rig.second(0.5, 500_MiB);
    }
}

TEST_CASE("intake policy: where it is faster without units, none are wanted for ten seconds, then longer")
{
    Rig rig;
    int expected = 10;
    for (const char* time : {"10", "20", "40", "60", "60"}) {
        CHECK(rig.seconds_until(false, 0.99, 500_MiB) == 2);
        CHECK_FALSE(rig.policy.take_reason());
        rig.seconds(2, 0.99, 600_MiB); // the try
        CHECK(rig.policy.take_reason() == std::string("requesting plain blocks for ") + time +
                                              " s: the network is faster than unpacking");
        CHECK(rig.seconds_until(true, 0.99, 600_MiB) == expected);
        expected = std::min(expected * 2, 60);
    }
}

TEST_CASE("intake policy: where the network is slower than unpacking, the try is over at once, and rare")
{
    Rig rig;
    for (const int between : {10, 20, 40, 60, 60}) {
        CHECK(rig.seconds_until(false, 0.99, 500_MiB) == 2);
        CHECK(rig.seconds_until(true, 0.5, 295_MiB) == 2);
        rig.seconds(between - 2, 0.99, 500_MiB);
        CHECK(rig.policy.wants_units());
    }
    CHECK_FALSE(rig.policy.take_reason());
}

TEST_CASE("intake policy: what was on its way when a try began does not count")
{
    Rig rig;
    CHECK(rig.seconds_until(false, 0.99, 500_MiB) == 2);
    rig.second(0.99, 5000_MiB);
    rig.second(0.99, 400_MiB);
    CHECK(rig.policy.wants_units());
}

TEST_CASE("intake policy: a thread that is busy with what is not compressed has no use for a try")
{
    Rig rig;
    for (int i = 0; i < 20; ++i) {
        rig.now += 1s;
        rig.policy.observe({1, 900_MiB, 100_MiB, 1, 0}, rig.now);
        REQUIRE(rig.policy.wants_units());
    }
}

TEST_CASE("intake policy: while too much waits for the disk no units are wanted")
{
    Rig rig;
    rig.policy.late(memory / 2);
    CHECK(rig.policy.wants_units());
    rig.policy.late(memory / 2 + 1);
    CHECK_FALSE(rig.policy.wants_units());
    CHECK(rig.policy.take_reason() ==
          "requesting plain blocks for now: the disk is behind, and units waiting for it need memory");
    rig.policy.late(memory / 8 + 1); // not to and fro with every unit
    CHECK_FALSE(rig.policy.wants_units());
    rig.policy.late(memory / 8);
    CHECK(rig.policy.wants_units());
    CHECK_FALSE(rig.policy.take_reason());
}

TEST_CASE("intake policy: a disk that is behind says nothing of the network")
{
    Rig rig;
    CHECK(rig.seconds_until(false, 0.99, 500_MiB) == 2);
    rig.second(0.99, 600_MiB, memory); // in the middle of a try
    rig.second(0.99, 600_MiB, memory);
    CHECK_FALSE(rig.policy.wants_units());
    rig.second(0.99, 600_MiB, 0);
    CHECK(rig.policy.wants_units());
}

TEST_CASE("intake policy: a period without a length changes nothing")
{
    Rig rig;
    for (int i = 0; i < 5; ++i) {
        rig.policy.observe({0, 1_MiB, 1_MiB, 1, 0}, rig.now);
    }
    CHECK(rig.policy.wants_units());
}

} // namespace ezio

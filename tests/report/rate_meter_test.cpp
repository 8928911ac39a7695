// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/report/rate_meter.hpp"

#include "catch.hpp"

#include <cmath>
#include <functional>

namespace ezio {

using namespace std::chrono_literals;
using Catch::Matchers::WithinAbs;

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

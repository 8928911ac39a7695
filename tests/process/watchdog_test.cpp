// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/process/watchdog.hpp"

#include "catch.hpp"

#include <cstdlib>
#include <future>
#include <mutex>
#include <utility>

namespace ezio {

using namespace std::chrono_literals;

namespace {

bool is_called(std::promise<void>& called)
{
    return called.get_future().wait_for(30s) == std::future_status::ready;
}

} // namespace

TEST_CASE("watchdog: it acts when the time is over")
{
    std::promise<void> called;
    Watchdog watchdog;
    watchdog.set(Clock::now() + 1ms, [&] { called.set_value(); });
    CHECK(is_called(called));
}

TEST_CASE("watchdog: it neither acts nor waits when it ends in time")
{
    bool called = false;
    const auto start = Clock::now();
    {
        Watchdog watchdog;
        watchdog.set(Clock::now() + 1h, [&] { called = true; });
    }
    CHECK_FALSE(called);
    CHECK(Clock::now() - start < 10s);
}

TEST_CASE("watchdog: what is set later replaces what was set before")
{
    std::promise<void> called;
    Watchdog watchdog;
    watchdog.set(Clock::now() + 1h, [] { std::abort(); });
    watchdog.set(Clock::now(), [&] { called.set_value(); });
    CHECK(is_called(called));
}

TEST_CASE("watchdog: a time that is brought forward is never later than before")
{
    for (const auto& [first, second] : {std::pair<milliseconds, milliseconds>(20ms, 1h), {1h, 0ms}}) {
        std::promise<void> called;
        std::once_flag once;
        const auto action = [&] { std::call_once(once, [&] { called.set_value(); }); };
        Watchdog watchdog;
        const auto now = Clock::now();
        watchdog.set(now + first, action); // may act already on a busy machine
        watchdog.bring_forward(now + second, action);
        CHECK(is_called(called));
    }
}

TEST_CASE("watchdog: with its thread replaced, it goes on as before")
{
    std::promise<void> called;
    Watchdog watchdog;
    watchdog.set(Clock::now() + 1h, [] { std::abort(); });
    watchdog.renew_thread();
    watchdog.bring_forward(Clock::now(), [&] { called.set_value(); });
    CHECK(is_called(called));
}

TEST_CASE("watchdog: nothing happens once it is called off")
{
    std::promise<void> called;
    Watchdog watchdog;
    watchdog.set(Clock::now() + 1h, [] { std::abort(); });
    watchdog.call_off();
    watchdog.bring_forward(Clock::now(), [&] { called.set_value(); });
    CHECK(is_called(called));
}

} // namespace ezio

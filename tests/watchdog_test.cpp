// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/watchdog.hpp"

#include "catch.hpp"

#include <future>

namespace ezio {

using namespace std::chrono_literals;

TEST_CASE("watchdog: it calls when it lives too long")
{
    std::promise<void> called;
    const Watchdog watchdog(1ms, [&] { called.set_value(); });
    CHECK(called.get_future().wait_for(30s) == std::future_status::ready);
}

TEST_CASE("watchdog: it does not call, nor wait, when it ends in time")
{
    bool called = false;
    const auto start = std::chrono::steady_clock::now();
    {
        const Watchdog watchdog(1h, [&] { called = true; });
    }
    CHECK_FALSE(called);
    CHECK(std::chrono::steady_clock::now() - start < 10s);
}

} // namespace ezio

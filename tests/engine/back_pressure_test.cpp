// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/engine/back_pressure.hpp"

#include "catch.hpp"

namespace ezio {

TEST_CASE("back-pressure: nothing is held below the high mark")
{
    BackPressure pressure(4, 8);
    CHECK_FALSE(pressure.holding());
    for (const std::size_t level : {0, 4, 7, 5, 7}) {
        CHECK_FALSE(pressure.set_level(level));
        CHECK_FALSE(pressure.holding());
    }
}

TEST_CASE("back-pressure: the hold begins at the high mark and ends at the low one, not in between")
{
    BackPressure pressure(4, 8);
    CHECK_FALSE(pressure.set_level(8));
    CHECK(pressure.holding());
    for (const std::size_t level : {7, 5, 9, 100, 5}) {
        CHECK_FALSE(pressure.set_level(level));
        CHECK(pressure.holding());
    }
    CHECK(pressure.set_level(4));
    CHECK_FALSE(pressure.holding());
}

TEST_CASE("back-pressure: only the call that ends a hold says so")
{
    BackPressure pressure(4, 8);
    (void)pressure.set_level(20);
    CHECK(pressure.set_level(0));
    CHECK_FALSE(pressure.set_level(0));
    CHECK_FALSE(pressure.set_level(3));
}

TEST_CASE("back-pressure: it holds again and again")
{
    BackPressure pressure(0, 1);
    for (int round = 0; round < 3; ++round) {
        CHECK_FALSE(pressure.set_level(1));
        CHECK(pressure.holding());
        CHECK(pressure.set_level(0));
        CHECK_FALSE(pressure.holding());
    }
}

} // namespace ezio

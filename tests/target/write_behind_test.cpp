// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/write_behind.hpp"

#include "catch.hpp"

using namespace ezio;

TEST_CASE("write behind: nothing is waited for while the limit is not passed")
{
    WriteBehind behind(100);
    CHECK(behind.started({0, 60}, 60).empty());
    CHECK(behind.started({1000, 40}, 40).empty());
}

TEST_CASE("write behind: the oldest ranges are waited for, as many as it takes")
{
    WriteBehind behind(100);
    CHECK(behind.started({0, 60}, 60).empty());
    CHECK(behind.started({1000, 30}, 30).empty());
    CHECK(behind.started({2000, 20}, 20) == std::vector<Extent>{{0, 60}});
    CHECK(behind.started({3000, 90}, 90) == std::vector<Extent>{{1000, 30}, {2000, 20}});
}

TEST_CASE("write behind: a range larger than the limit is waited for at once")
{
    WriteBehind behind(100);
    CHECK(behind.started({0, 101}, 101) == std::vector<Extent>{{0, 101}});
    CHECK(behind.started({200, 100}, 100).empty());
}

TEST_CASE("write behind: what counts is the bytes that were written, not how far they are spread")
{
    WriteBehind behind(100);
    CHECK(behind.started({0, 1000}, 60).empty());
    CHECK(behind.started({5000, 9000}, 60) == std::vector<Extent>{{0, 1000}});
}

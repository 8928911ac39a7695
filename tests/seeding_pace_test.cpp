// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/seeding_pace.hpp"

#include "catch.hpp"

using namespace ezio;
using Time = SeedingPace::Time;

namespace {

// Sends `rate` blocks a second from `start` on, for `length`.
void send(SeedingPace& pace, std::int64_t rate, Time start, Time length)
{
    for (std::int64_t block = 0; block < rate * length.count() / 1000; ++block) {
        pace.sent_block(start + Time(block * 1000 / rate));
    }
}

} // namespace

TEST_CASE("seeding pace: before anything was sent, a little is given out")
{
    CHECK(SeedingPace(16).blocks_in_advance(Time(123456)) == 128);    // 2 MiB
    CHECK(SeedingPace(1024).blocks_in_advance(Time(123456)) == 2048); // two pieces of 16 MiB
    CHECK(SeedingPace(16).late_after(Time(123456)) == Time(1000));
}

TEST_CASE("seeding pace: what a fast link sends in 0.4 s is given out")
{
    SeedingPace pace(64);
    send(pace, 64000, Time(1000000), Time(1000));
    CHECK(pace.blocks_in_advance(Time(1001000)) == 25600);
    CHECK(pace.late_after(Time(1001000)) == Time(360));
}

TEST_CASE("seeding pace: a slow link gets two pieces, and longer to send them")
{
    SeedingPace pace(1024);
    send(pace, 1000, Time(0), Time(1000));
    CHECK(pace.blocks_in_advance(Time(1000)) == 2048);
    CHECK(pace.late_after(Time(1000)) == Time(1843));
}

TEST_CASE("seeding pace: a pause does not make the link a slow one, until it is long")
{
    SeedingPace pace(16);
    send(pace, 6400, Time(0), Time(1000));
    CHECK(pace.blocks_in_advance(Time(3000)) == 2560);
    CHECK(pace.blocks_in_advance(Time(6000)) == 128);
    CHECK(pace.blocks_in_advance(Time(600000)) == 128);
    send(pace, 6400, Time(600000), Time(1000));
    CHECK(pace.blocks_in_advance(Time(601000)) == 2560);
}

TEST_CASE("seeding pace: the first tenths of a second count as they are")
{
    SeedingPace pace(16);
    send(pace, 6400, Time(1000), Time(300));
    CHECK(pace.blocks_in_advance(Time(1300)) == 2560);
}

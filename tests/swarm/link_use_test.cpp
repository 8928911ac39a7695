// SPDX-License-Identifier: GPL-2.0-or-later
#include "swarm/link_use.hpp"

#include "catch.hpp"

namespace ezio {

namespace {

constexpr std::uint64_t mebibyte = 1 << 20;

// So much in each of some seconds.
void send(LinkUse& use, Clock::time_point& now, std::uint64_t mebibytes, int seconds)
{
    for (int second = 0; second < seconds; ++second) {
        use.sent(mebibytes * mebibyte);
        now += milliseconds(1000);
        use.observe(now);
    }
}

} // namespace

TEST_CASE("link use: a link that sends as it did is in use, one that sends a fifth is not")
{
    Clock::time_point now;
    LinkUse use(now);
    CHECK_FALSE(use.is_little()); // not known yet
    send(use, now, 100, 6);
    CHECK_FALSE(use.is_little());
    send(use, now, 30, 4);
    CHECK_FALSE(use.is_little());
    send(use, now, 20, 1);
    CHECK_FALSE(use.is_little()); // for a second only
    send(use, now, 20, 1);
    CHECK(use.is_little());
    send(use, now, 100, 2);
    CHECK_FALSE(use.is_little());
}

TEST_CASE("link use: what is little on any LAN is little, also when it never was more")
{
    Clock::time_point now;
    LinkUse use(now);
    send(use, now, 0, 2);
    CHECK(use.is_little());
    send(use, now, 1, 2);
    CHECK_FALSE(use.is_little());
}

TEST_CASE("link use: buffers that are filled at first are not the link's rate")
{
    Clock::time_point now;
    LinkUse use(now);
    send(use, now, 40, 2); // of a link of 10 MiB/s
    send(use, now, 10, 8);
    CHECK_FALSE(use.is_little());
}

TEST_CASE("link use: seconds that nobody looked at count as well")
{
    Clock::time_point now;
    LinkUse use(now);
    send(use, now, 100, 4);
    use.sent(100 * mebibyte);
    now += milliseconds(20'000);
    use.observe(now);
    CHECK(use.is_little());
}

} // namespace ezio

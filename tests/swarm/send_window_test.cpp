// SPDX-License-Identifier: GPL-2.0-or-later
#include "swarm/send_window.hpp"

#include "catch.hpp"

#include "ezio/image/image.hpp"

using namespace ezio;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t mib = 1 << 20;

// How many further pieces there is room for, from `piece` on.
unsigned give_all(SendWindow& window, std::uint32_t piece, Clock::time_point now)
{
    unsigned given = 0;
    while (given < 10'000 && window.has_room(now)) {
        window.given(piece + given++, now);
    }
    return given;
}

const Clock::time_point start{seconds(100)};

} // namespace

TEST_CASE("send window: while nothing is known of the link, 2 MiB are on their way, and at least two pieces")
{
    for (const auto& [piece_length, pieces] :
         {std::pair{mib / 2, 4U}, {mib, 2U}, {16 * mib, 2U}, {std::uint64_t{1}, 128U}}) {
        SendWindow window(piece_length);
        CAPTURE(piece_length);
        CHECK(give_all(window, 0, start) == pieces);
    }
}

TEST_CASE("send window: what was sent, or is no longer to be sent, makes room")
{
    SendWindow window(mib);
    REQUIRE(give_all(window, 0, start) == 2);
    for (unsigned block = 0; block < mib / block_bytes; ++block) {
        CHECK(window.has_room(start) == (block > 0));
        window.sent_block(0, start);
    }
    CHECK(give_all(window, 2, start) == 1);
    window.gone(1);
    window.gone(1);
    window.gone(77);
    CHECK(give_all(window, 3, start) == 1);
}

TEST_CASE("send window: a fast link gets more in advance: what it sends in 0.4 s")
{
    SendWindow window(mib);
    auto now = start;
    for (unsigned block = 0; block < 100 * mib / block_bytes; ++block) { // 100 MiB/s
        now = start + milliseconds(block * 1000 / (100 * mib / block_bytes));
        window.sent_block(1'000'000, now);
    }
    const unsigned pieces = give_all(window, 0, now);
    CHECK(pieces >= 38);
    CHECK(pieces <= 42);
    CHECK(give_all(window, 1000, now + seconds(10)) ==
          2); // the link is forgotten, and what was given is late
}

TEST_CASE("send window: what a peer does not fetch in time is not waited for")
{
    SendWindow window(mib);
    REQUIRE(give_all(window, 0, start) == 2);
    CHECK_FALSE(window.has_room(start + seconds(9)));
    CHECK(give_all(window, 2, start + seconds(11)) == 2);
    window.sent_block(0, start + seconds(11)); // comes late, and counts for the link only
    CHECK_FALSE(window.has_room(start + seconds(11)));
}

TEST_CASE("send window: a piece that is given again is waited for anew")
{
    SendWindow window(mib);
    window.given(0, start);
    window.given(1, start);
    window.given(0, start + seconds(9));
    CHECK(give_all(window, 2, start + seconds(11)) == 1);
}

TEST_CASE("send window: a piece that is given to somebody else counts once")
{
    SendWindow window(mib);
    window.given(0, start);
    window.given(0, start);
    CHECK(give_all(window, 1, start) == 1);
}

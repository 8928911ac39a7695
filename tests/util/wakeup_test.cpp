// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/wakeup.hpp"

#include "catch.hpp"
#include "deadline.hpp"

#include <atomic>
#include <thread>

namespace ezio {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using test::deadline; // a wait that ends before it was woken up, not by the time

namespace {

// How long a wait of `time` took.
Clock::duration waited(Wakeup& wakeup, std::chrono::milliseconds time)
{
    const Clock::time_point start = Clock::now();
    wakeup.wait_for(time);
    return Clock::now() - start;
}

} // namespace

TEST_CASE("wakeup: without news a wait ends after its time")
{
    Wakeup wakeup;
    CHECK(waited(wakeup, 20ms) >= 19ms);
    CHECK(waited(wakeup, 0ms) < deadline);
}

TEST_CASE("wakeup: news that came before the wait end it at once")
{
    Wakeup wakeup;
    wakeup.notify();
    CHECK(waited(wakeup, deadline) < deadline);
}

TEST_CASE("wakeup: however many news came, one wait takes them all")
{
    Wakeup wakeup;
    for (int i = 0; i < 1000; ++i) {
        wakeup.notify();
    }
    CHECK(waited(wakeup, deadline) < deadline);
    CHECK(waited(wakeup, 20ms) >= 19ms);
}

TEST_CASE("wakeup: another thread ends a wait")
{
    Wakeup wakeup;
    std::thread other([&] { wakeup.notify(); });
    CHECK(waited(wakeup, deadline) < deadline);
    other.join();
}

TEST_CASE("wakeup: what was written before the news is seen after the wait")
{
    Wakeup to_other;
    Wakeup to_us;
    std::atomic<int> count = 0;
    std::thread other([&] {
        for (int i = 0; i < 1000; ++i) {
            while (count.load() != 2 * i + 1) {
                to_other.wait_for(deadline);
            }
            count = 2 * i + 2;
            to_us.notify();
        }
    });
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < 1000; ++i) {
        count = 2 * i + 1;
        to_other.notify();
        while (count.load() != 2 * i + 2) {
            to_us.wait_for(deadline);
        }
    }
    other.join();
    CHECK(Clock::now() - start < deadline); // no news were lost: not one wait ended by its time
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/watched_target.hpp"

#include "fake_target.hpp"

#include <array>
#include <cerrno>
#include <thread>
#include <utility>

using namespace ezio;
using test::FakeTarget;

TEST_CASE("watched target: it is waited for as long as a call has not returned")
{
    FakeTarget target(4096);
    WatchedTarget watched(target);
    CHECK_FALSE(watched.is_waited_for());
    target.read_gate.close();
    std::thread reader([&] {
        std::array<std::byte, 512> bytes{};
        (void)watched.read_at(0, std::span(bytes));
    });
    const bool waits = target.read_gate.wait_for_waiting(1);
    CHECK(waits);
    CHECK(watched.is_waited_for());
    target.read_gate.open();
    reader.join();
    CHECK_FALSE(watched.is_waited_for());
}

TEST_CASE("watched target: calls and failures are passed on")
{
    using Operation = IoFailure::Operation;
    FakeTarget target(4096);
    WatchedTarget watched(target);
    target.fail(Operation::write, 1, ENOSPC);
    std::array<std::byte, 512> bytes{};
    const auto failed = watched.write_at(1024, std::span(std::as_const(bytes)));
    REQUIRE(failed);
    CHECK(failed->error == ENOSPC);
    CHECK(failed->offset == 1024);
    CHECK_FALSE(watched.write_behind({0, 512}, 512));
    CHECK_FALSE(watched.sync());
    watched.drop_cache();
    CHECK(target.calls(Operation::write_back).size() == 1);
    CHECK(target.calls(Operation::sync).size() == 1);
    CHECK(target.cache_drops() == 1);
    CHECK(watched.path() == target.path());
}

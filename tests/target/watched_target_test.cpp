// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/watched_target.hpp"

#include "fake_target.hpp"

#include <array>
#include <cerrno>
#include <thread>
#include <utility>

using namespace ezio;
using test::FakeTarget;

TEST_CASE("watched target: a call is out as long as it has not returned")
{
    FakeTarget target(4096);
    DiskCalls calls;
    calls.set_disk("/dev/sda");
    WatchedTarget watched(target, calls);
    CHECK(calls.unanswered().empty());
    target.read_gate.close();
    std::thread reader([&] {
        std::array<std::byte, 512> bytes{};
        (void)watched.read_at(0, std::span(bytes));
    });
    const bool waits = target.read_gate.wait_for_waiting(1);
    CHECK(waits);
    CHECK(calls.unanswered() == "/dev/sda");
    CHECK(calls.unanswered(std::chrono::hours(1)).empty());
    target.read_gate.open();
    reader.join();
    CHECK(calls.unanswered().empty());
}

TEST_CASE("watched target: calls and failures are passed on")
{
    using Operation = IoFailure::Operation;
    FakeTarget target(4096);
    DiskCalls disk_calls;
    WatchedTarget watched(target, disk_calls);
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

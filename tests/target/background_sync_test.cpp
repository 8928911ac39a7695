// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/background_sync.hpp"

#include "catch.hpp"
#include "fake_target.hpp"

#include <cerrno>

namespace ezio {

using test::FakeTarget;

TEST_CASE("background sync: its owner goes on meanwhile, and is woken up at the end")
{
    FakeTarget target(4096);
    Wakeup wakeup;
    target.sync_gate.close();
    const BackgroundSync sync(target, wakeup);
    REQUIRE(target.sync_gate.wait_for_waiting(1));
    CHECK_FALSE(sync.finished());
    target.sync_gate.open();
    wakeup.wait_for(test::deadline);
    REQUIRE(sync.finished());
    CHECK_FALSE(sync.failure());
    CHECK(target.calls(IoFailure::Operation::sync).size() == 1);
}

TEST_CASE("background sync: that it failed is told")
{
    FakeTarget target(4096);
    target.fail(IoFailure::Operation::sync, 1, EIO);
    Wakeup wakeup;
    const BackgroundSync sync(target, wakeup);
    wakeup.wait_for(test::deadline);
    REQUIRE(sync.finished());
    REQUIRE(sync.failure());
    CHECK(sync.failure()->message() == "/dev/fake: sync failed: Input/output error");
}

TEST_CASE("background sync: what comes first is done before, and its failure is told in place of the sync's")
{
    FakeTarget target(4096);
    Wakeup wakeup;
    const std::vector<std::byte> zeros(8);
    const auto write = [&] { return static_cast<Target&>(target).write_at(0, zeros); };
    {
        const BackgroundSync sync(target, wakeup, write);
        wakeup.wait_for(test::deadline);
        REQUIRE(sync.finished());
        CHECK_FALSE(sync.failure());
    }
    REQUIRE(target.calls().size() == 2);
    CHECK(target.calls()[0].operation == IoFailure::Operation::write);
    target.fail(IoFailure::Operation::write, 1, EIO);
    const BackgroundSync sync(target, wakeup, write);
    wakeup.wait_for(test::deadline);
    REQUIRE(sync.finished());
    REQUIRE(sync.failure());
    CHECK(sync.failure()->operation == IoFailure::Operation::write);
    CHECK(target.calls(IoFailure::Operation::sync).size() == 1);
}

} // namespace ezio

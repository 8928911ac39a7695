// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/background_sync.hpp"

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

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/port_reservation.hpp"

#include "catch.hpp"

namespace ezio {

TEST_CASE("port reservation: a port is reserved for one at a time")
{
    // Below those that ezio-cli tries: what runs beside this test does not matter.
    auto first = reserve_port(1);
    REQUIRE(first);
    CHECK_FALSE(reserve_port(1));
    CHECK(reserve_port(2));
    first.reset();
    CHECK(reserve_port(1));
}

} // namespace ezio

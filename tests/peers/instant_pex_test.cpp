// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peers/instant_pex.hpp"

#include "catch.hpp"

#include <libtorrent/address.hpp>

#include <string>
#include <string_view>

namespace ezio {

namespace {

lt::tcp::endpoint at(const char* address, std::uint16_t port)
{
    return {lt::make_address(address), port};
}

} // namespace

TEST_CASE("instant pex: a peer exchange message names peers of both families")
{
    using namespace std::string_view_literals;
    const std::string expected("\0\0\0\x49\x14\x07"
                               "d5:added6:\x0a\0\0\x02\x1a\xe1"
                               "7:added.f1:\0"
                               "6:added618:\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x03\x1a\xe2"
                               "8:added6.f1:\0e"sv);
    CHECK(introduction({at("10.0.0.2", 6881), at("fd00::3", 6882)}, 7) == expected);
}

TEST_CASE("instant pex: where there is nobody to name there is no message")
{
    CHECK(introduction({}, 1).empty());
    CHECK(introduction({at("fe80::1", 6881)}, 1).empty());
}

} // namespace ezio

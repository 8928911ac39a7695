// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peers/duplicate_peers.hpp"

#include "catch.hpp"

#include <libtorrent/address.hpp>

namespace ezio {

namespace {

lt::tcp::endpoint at(const char* address, std::uint16_t port)
{
    return {lt::make_address(address), port};
}

const PeerLink v4_by_a{at("10.0.0.1", 40001), at("10.0.0.2", 6881), "a"};
const PeerLink v4_by_b{at("10.0.0.2", 40002), at("10.0.0.1", 6881), "b"};
const PeerLink v6_by_a{at("fe80::1", 40003), at("fe80::2", 6881), "a"};
const PeerLink v6_by_b{at("fe80::2", 40004), at("fe80::1", 6881), "b"};

} // namespace

TEST_CASE("duplicate peers: IPv4 is kept rather than IPv6, whoever has connected")
{
    for (const PeerLink& v4 : {v4_by_a, v4_by_b}) {
        for (const PeerLink& v6 : {v6_by_a, v6_by_b}) {
            CHECK(v4.repeats(v6));
            CHECK(v6.repeats(v4));
            CHECK(v6.is_worse_than(v4));
            CHECK_FALSE(v4.is_worse_than(v6));
        }
    }
}

TEST_CASE("duplicate peers: of two that have connected with each other, one connection stays")
{
    CHECK(v6_by_a.repeats(v6_by_b));
    CHECK(v6_by_a.is_worse_than(v6_by_b));
    CHECK_FALSE(v6_by_b.is_worse_than(v6_by_a));
}

TEST_CASE("duplicate peers: who connects again takes the place of its older connection")
{
    const PeerLink again{at("10.0.0.1", 50001), at("10.0.0.2", 6881), "a"};
    CHECK(again.repeats(v4_by_a));
    CHECK_FALSE(again.is_worse_than(v4_by_a));
}

TEST_CASE("duplicate peers: connections by different networks both stay")
{
    const PeerLink other_network{at("192.168.7.1", 40005), at("192.168.7.2", 6881), "a"};
    CHECK_FALSE(other_network.repeats(v4_by_a));
    CHECK_FALSE(other_network.repeats(v4_by_b));
}

} // namespace ezio

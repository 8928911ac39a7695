// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/net/allowed_networks.hpp"

#include "catch.hpp"

namespace ezio {

namespace {

using boost::asio::ip::make_address;

AddressRange range(const char* first, const char* last)
{
    return {make_address(first), make_address(last)};
}

std::vector<AddressRange> networks(std::initializer_list<const char*> texts)
{
    std::vector<AddressRange> ranges;
    for (const char* text : texts) {
        ranges.push_back(parse_network(text).value());
    }
    return ranges;
}

} // namespace

TEST_CASE("allowed networks: a prefix means all addresses that begin with it")
{
    CHECK(parse_network("10.0.0.0/8") == range("10.0.0.0", "10.255.255.255"));
    CHECK(parse_network("192.168.7.64/27") == range("192.168.7.64", "192.168.7.95"));
    CHECK(parse_network("0.0.0.0/0") == range("0.0.0.0", "255.255.255.255"));
    CHECK(parse_network("fd00::/8") == range("fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
    CHECK(parse_network("::/0") == range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
}

TEST_CASE("allowed networks: an address alone means itself")
{
    CHECK(parse_network("10.1.2.3") == range("10.1.2.3", "10.1.2.3"));
    CHECK(parse_network("10.1.2.3/32") == range("10.1.2.3", "10.1.2.3"));
    CHECK(parse_network("fd00::1") == range("fd00::1", "fd00::1"));
}

TEST_CASE("allowed networks: bits behind the prefix do not matter")
{
    CHECK(parse_network("10.1.2.3/8") == parse_network("10.0.0.0/8"));
    CHECK(parse_network("fd12::34/16") == parse_network("fd12::/16"));
}

TEST_CASE("allowed networks: what is no network is malformed")
{
    for (const char* text :
         {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0/8",
          "10.0.0.0/255.0.0.0", "fd00::/129", "lab/8", "fe80::1%lo/64", "10.0.0.0//8"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_network(text));
    }
}

TEST_CASE("allowed networks: an address in any of them is allowed, with or without a scope")
{
    const auto ranges = networks({"10.1.0.0/16", "192.168.0.1", "fe80::/10"});
    for (const char* inside : {"10.1.0.0", "10.1.255.255", "192.168.0.1", "fe80::1", "fe80::1%1"}) {
        CAPTURE(inside);
        CHECK(allows(ranges, make_address(inside)));
    }
    for (const char* outside :
         {"10.0.255.255", "10.2.0.0", "192.168.0.2", "fd00::1", "::ffff:10.1.0.1", "::a01:0"}) {
        CAPTURE(outside);
        CHECK_FALSE(allows(ranges, make_address(outside)));
    }
}

TEST_CASE("allowed networks: none named allows everybody")
{
    CHECK(allows({}, make_address("10.0.0.1")));
    CHECK(allows({}, make_address("fd00::1")));
}

} // namespace ezio

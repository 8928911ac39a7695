// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/net/local_discovery.hpp"

#include "catch.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace ezio {

namespace {

// Other processes on this host may run the same test.
const std::string one = fmt::format("{:040x}", 2 * static_cast<unsigned>(::getpid()));
const std::string two = fmt::format("{:040x}", 2 * static_cast<unsigned>(::getpid()) + 1);

Endpoint on_loopback(std::uint16_t port)
{
    return {boost::asio::ip::address_v4::loopback(), port};
}

} // namespace

TEST_CASE("local discovery: who looks for the same torrent on the same network is found")
{
    LocalDiscovery first(one, {on_loopback(7001)}, {});
    LocalDiscovery second(one, {on_loopback(7002)}, {});
    REQUIRE(first.trouble().empty());
    second.announce();
    std::vector<Endpoint> found; // a packet of loopback is there when it was sent
    found = first.take_found(LocalDiscovery::Reach::preferred);
    CHECK(found == std::vector{on_loopback(7002)});
    CHECK(first.take_found(LocalDiscovery::Reach::preferred).empty());
}

TEST_CASE("local discovery: nobody finds itself, or who looks for another torrent")
{
    LocalDiscovery first(one, {on_loopback(7001)}, {});
    LocalDiscovery second(two, {on_loopback(7002)}, {});
    first.announce();
    second.announce();
    CHECK(first.take_found(LocalDiscovery::Reach::preferred).empty());
    CHECK(second.take_found(LocalDiscovery::Reach::preferred).empty());
}

TEST_CASE("local discovery: who announces itself often is found once")
{
    LocalDiscovery first(one, {on_loopback(7001)}, {});
    LocalDiscovery second(one, {on_loopback(7002)}, {});
    LocalDiscovery third(one, {on_loopback(7003)}, {});
    for (int i = 0; i < 3; ++i) {
        third.announce();
        second.announce();
    }
    CHECK(first.take_found(LocalDiscovery::Reach::preferred) ==
          std::vector{on_loopback(7002), on_loopback(7003)});
}

TEST_CASE("local discovery: who is in no allowed network is not found")
{
    LocalDiscovery first(one, {on_loopback(7001)}, {parse_network("192.0.2.0/24").value()});
    LocalDiscovery other(one, {on_loopback(7002)}, {parse_network("127.0.0.0/8").value()});
    first.announce();
    other.announce();
    CHECK(first.take_found(LocalDiscovery::Reach::all).empty());
    CHECK(other.take_found(LocalDiscovery::Reach::all) == std::vector{on_loopback(7001)});
}

TEST_CASE("local discovery: an address that nobody has is no place to announce from")
{
    LocalDiscovery first(one, {on_loopback(7001)}, {});
    LocalDiscovery second(one, {Endpoint(boost::asio::ip::make_address("192.0.2.1"), 7002)}, {});
    second.announce();
    CHECK(first.take_found(LocalDiscovery::Reach::preferred).empty());
}

} // namespace ezio

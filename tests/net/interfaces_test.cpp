// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/interfaces.hpp"

#include "catch.hpp"

#include <algorithm>

#include <net/if.h>
#include <netinet/in.h>

namespace ezio {

namespace ip = boost::asio::ip;

TEST_CASE("interfaces: the loopback interface has its address, with its netmask")
{
    const auto all = interface_addresses();
    const auto found = std::find_if(all.begin(), all.end(), [](const InterfaceAddress& it) {
        return it.address == ip::make_address("127.0.0.1");
    });
    REQUIRE(found != all.end());
    CHECK(found->interface == "lo");
    CHECK(found->netmask == ip::make_address("255.0.0.0"));
    CHECK((found->flags & IFF_LOOPBACK) != 0);
}

TEST_CASE("interfaces: an address of a system call is read as it is meant, with its scope")
{
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(0x0a000102);
    CHECK(address_of(reinterpret_cast<const sockaddr&>(v4)) == ip::make_address("10.0.1.2"));

    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr.s6_addr[0] = 0xfe;
    v6.sin6_addr.s6_addr[1] = 0x80;
    v6.sin6_addr.s6_addr[15] = 7;
    v6.sin6_scope_id = 3;
    const ip::address address = address_of(reinterpret_cast<const sockaddr&>(v6));
    CHECK(address == ip::address(ip::address_v6(ip::make_address_v6("fe80::7").to_bytes(), 3)));
}

} // namespace ezio

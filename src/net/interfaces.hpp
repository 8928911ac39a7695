// SPDX-License-Identifier: GPL-2.0-or-later
//
// The addresses of this machine's network interfaces, and address conversion.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <string>
#include <vector>

#include <sys/socket.h>

namespace ezio {

struct InterfaceAddress {
    std::string interface; // "eth0"
    unsigned flags = 0;    // as in netdevice(7): IFF_UP, IFF_MULTICAST, ...
    boost::asio::ip::address address;
    boost::asio::ip::address netmask;
};

// The current addresses; empty if the kernel does not report them.
[[nodiscard]] std::vector<InterfaceAddress> interface_addresses();

// Converts a sockaddr_in or a sockaddr_in6, according to its family.
[[nodiscard]] boost::asio::ip::address address_of(const sockaddr& address);

} // namespace ezio

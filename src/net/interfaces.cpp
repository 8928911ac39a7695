// SPDX-License-Identifier: GPL-2.0-or-later
#include "interfaces.hpp"

#include <cstring>
#include <memory>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

namespace ezio {

namespace ip = boost::asio::ip;

ip::address address_of(const sockaddr& address)
{
    if (address.sa_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        return ip::address_v4(ntohl(v4.sin_addr.s_addr));
    }
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return ip::address_v6(bytes, v6.sin6_scope_id);
}

std::vector<InterfaceAddress> interface_addresses()
{
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) {
        return {};
    }
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
    std::vector<InterfaceAddress> found;
    for (const ifaddrs* it = list; it != nullptr; it = it->ifa_next) {
        const bool is_ip = it->ifa_addr != nullptr && it->ifa_netmask != nullptr &&
                           (it->ifa_addr->sa_family == AF_INET || it->ifa_addr->sa_family == AF_INET6);
        if (is_ip) {
            found.push_back(
                {it->ifa_name, it->ifa_flags, address_of(*it->ifa_addr), address_of(*it->ifa_netmask)});
        }
    }
    return found;
}

} // namespace ezio

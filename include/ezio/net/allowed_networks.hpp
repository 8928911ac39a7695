// SPDX-License-Identifier: GPL-2.0-or-later
//
// Who may connect: ranges of addresses, as --allow names them.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace ezio {

struct AddressRange {
    boost::asio::ip::address first; // of the same family
    boost::asio::ip::address last;
    bool operator==(const AddressRange&) const = default;
};

// "10.0.0.0/8", "10.1.2.3", "fd00::/8". Bits behind the prefix may be set: 10.1.2.3/8 is 10.0.0.0/8, as for
// ip-route(8). Empty when malformed.
[[nodiscard]] std::optional<AddressRange> parse_network(std::string_view text);

// Whether one of the ranges holds the address; no ranges hold all addresses. A scope (%eth0) does not matter.
[[nodiscard]] bool allows(const std::vector<AddressRange>& ranges, const boost::asio::ip::address& address);

} // namespace ezio

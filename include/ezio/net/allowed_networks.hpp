// SPDX-License-Identifier: GPL-2.0-or-later
//
// The address ranges of --allow.
#pragma once

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace ezio {

struct AddressRange {
    boost::asio::ip::address first; // of one family
    boost::asio::ip::address last;
    bool operator==(const AddressRange&) const = default;
};

// Parses "10.0.0.0/8", "10.1.2.3" or "fd00::/8". Bits after the prefix may be set: 10.1.2.3/8 means
// 10.0.0.0/8, as in ip-route(8). Empty when malformed.
[[nodiscard]] std::optional<AddressRange> parse_network(std::string_view text);

// Whether a range contains the address; an empty list allows all addresses. A scope (%eth0) is ignored.
[[nodiscard]] bool allows(const std::vector<AddressRange>& ranges, const boost::asio::ip::address& address);

} // namespace ezio

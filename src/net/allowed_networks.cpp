// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/net/allowed_networks.hpp"

#include "ezio/util/text.hpp"

#include <algorithm>
#include <string>

namespace ezio {

namespace {

namespace ip = boost::asio::ip;

// The range of addresses with the same first `prefix` bits.
template <typename Address>
AddressRange range_around(const Address& address, unsigned prefix)
{
    auto first = address.to_bytes();
    auto last = first;
    for (unsigned bit = prefix; bit < first.size() * 8; ++bit) {
        const auto mask = static_cast<unsigned char>(0x80U >> bit % 8);
        first[bit / 8] = static_cast<unsigned char>(first[bit / 8] & ~mask);
        last[bit / 8] = static_cast<unsigned char>(last[bit / 8] | mask);
    }
    return {Address(first), Address(last)};
}

ip::address without_scope(const ip::address& address)
{
    return address.is_v6() ? ip::address(ip::address_v6(address.to_v6().to_bytes())) : address;
}

} // namespace

std::optional<AddressRange> parse_network(std::string_view text)
{
    const std::size_t slash = std::min(text.find('/'), text.size());
    boost::system::error_code error;
    const auto address = ip::make_address(std::string(text.substr(0, slash)), error);
    if (error || (address.is_v6() && address.to_v6().scope_id() != 0)) {
        return std::nullopt;
    }
    const unsigned longest = address.is_v4() ? 32 : 128;
    const auto prefix = slash == text.size() ? longest : parse_number<unsigned>(text.substr(slash + 1));
    if (!prefix || *prefix > longest) {
        return std::nullopt;
    }
    return address.is_v4() ? range_around(address.to_v4(), *prefix) : range_around(address.to_v6(), *prefix);
}

bool allows(const std::vector<AddressRange>& ranges, const ip::address& address)
{
    const ip::address plain = without_scope(address);
    return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](const AddressRange& range) {
               return range.first.is_v4() == plain.is_v4() && range.first <= plain && plain <= range.last;
           });
}

} // namespace ezio

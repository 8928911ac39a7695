// SPDX-License-Identifier: GPL-2.0-or-later
#include "discovery_message.hpp"

#include "ezio/image/sha1.hpp"
#include "ezio/util/text.hpp"

#include <fmt/format.h>

namespace ezio {

namespace {

constexpr std::string_view first_line = "BT-SEARCH * HTTP/1.1";

void read_header(DiscoveryMessage& message, std::string_view line)
{
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
        return;
    }
    const std::string name = lower_case(trimmed(line.substr(0, colon)));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (name == "port") {
        message.port = parse_number<std::uint16_t>(value).value_or(0);
    } else if (name == "cookie") {
        message.cookie = value;
    } else if (name == "infohash") {
        if (const auto info_hash = parse_sha1(value)) {
            message.info_hashes.push_back(to_hex(*info_hash));
        }
    }
}

} // namespace

std::string encode(const DiscoveryMessage& message, std::string_view host)
{
    std::string packet = fmt::format("{}\r\nHost: {}\r\nPort: {}\r\n", first_line, host, message.port);
    for (const std::string& info_hash : message.info_hashes) {
        packet += fmt::format("Infohash: {}\r\n", info_hash);
    }
    packet += fmt::format("cookie: {}\r\n\r\n\r\n", message.cookie);
    return packet;
}

std::optional<DiscoveryMessage> parse_discovery_message(std::string_view packet)
{
    if (take_line(packet) != first_line) {
        return std::nullopt;
    }
    DiscoveryMessage message;
    for (std::string_view line = take_line(packet); !line.empty(); line = take_line(packet)) {
        read_header(message, line);
    }
    return message.port != 0 && !message.info_hashes.empty() ? std::optional(message) : std::nullopt;
}

} // namespace ezio

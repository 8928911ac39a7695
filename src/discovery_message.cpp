// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/discovery_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace ezio {

namespace {

constexpr std::string_view first_line = "BT-SEARCH * HTTP/1.1";

// Takes the next line off `text`, without what ends it: "\r\n", or "\n" alone.
std::string_view take_line(std::string_view& text)
{
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    return line;
}

std::string lower_case(std::string_view text)
{
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return lower;
}

std::string_view trimmed(std::string_view text)
{
    const std::size_t first = std::min(text.find_first_not_of(" \t"), text.size());
    text.remove_prefix(first);
    return text.substr(0, text.find_last_not_of(" \t") + 1);
}

std::uint16_t parse_port(std::string_view text)
{
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size() ? port : std::uint16_t{0};
}

void read_header(DiscoveryMessage& message, std::string_view line)
{
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
        return;
    }
    const std::string name = lower_case(trimmed(line.substr(0, colon)));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (name == "port") {
        message.port = parse_port(value);
    } else if (name == "cookie") {
        message.cookie = value;
    } else if (name == "infohash" && value.size() == 40 &&
               value.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos) {
        message.info_hashes.push_back(lower_case(value));
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

// SPDX-License-Identifier: GPL-2.0-or-later
#include "option_kinds.hpp"

#include <fmt/format.h>

#include <bit>

namespace ezio::kind {

namespace {

std::optional<std::uint64_t> parse_memory(std::string_view text)
{
    const auto size = parse_size(text);
    return size && *size >= 32_MiB && *size <= 64_GiB ? size : std::nullopt;
}

std::optional<std::uint64_t> parse_piece_length(std::string_view text)
{
    const auto size = parse_size(text);
    return size && std::has_single_bit(*size) && *size >= 16_KiB && *size <= 64_MiB ? size : std::nullopt;
}

std::optional<std::uint64_t> parse_rate(std::string_view text)
{
    return parse_size(text.ends_with("/s") ? text.substr(0, text.size() - 2) : text);
}

std::string show_size(const std::uint64_t& size)
{
    return shortest_size(size);
}

std::string show_rate(const std::uint64_t& rate)
{
    return rate == 0 ? "0, no limit" : shortest_size(rate);
}

std::string show_duration(const std::chrono::milliseconds& time)
{
    return shortest_duration(time);
}

std::optional<int> parse_peer_count(std::string_view text)
{
    const bool digits =
        !text.empty() && text.size() < 6 && text.find_first_not_of("0123456789") == std::string_view::npos;
    const int count = digits ? std::stoi(std::string(text)) : 0;
    return count > 0 ? std::optional(count) : std::nullopt;
}

std::string show_number(const int& number)
{
    return fmt::format("{}", number);
}

std::optional<std::string> parse_tracker(std::string_view text)
{
    for (const std::string_view scheme : {"http://", "https://", "udp://"}) {
        if (text.starts_with(scheme) && text.size() > scheme.size()) {
            return std::string(text);
        }
    }
    return std::nullopt;
}

std::optional<std::string> parse_text(std::string_view text)
{
    return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

std::string show_text(const std::string& text)
{
    return text;
}

} // namespace

const Size memory{"SIZE", "a size from 32M to 64G", parse_memory, show_size};
const Size piece_length{"SIZE", "a power of two from 16K to 64M", parse_piece_length, show_size};
const Size rate{"RATE", valid_sizes, parse_rate, show_rate};
const Duration duration{"DUR", valid_durations, parse_duration, show_duration};
const Number peer_count{"N", "a number from 1 to 99999", parse_peer_count, show_number};
const Text tracker{"URL", "a URL that begins with http://, https:// or udp://", parse_tracker, show_text};

Text text(std::string_view name)
{
    return {name, name, parse_text, show_text};
}

} // namespace ezio::kind

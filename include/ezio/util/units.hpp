// SPDX-License-Identifier: GPL-2.0-or-later
//
// Sizes and durations for people: parsing and formatting.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ezio {

constexpr std::uint64_t operator""_KiB(unsigned long long n)
{
    return n << 10;
}
constexpr std::uint64_t operator""_MiB(unsigned long long n)
{
    return n << 20;
}
constexpr std::uint64_t operator""_GiB(unsigned long long n)
{
    return n << 30;
}

// The syntax that the two parsers below accept, for messages.
inline constexpr std::string_view valid_sizes =
    "bytes or a number with K, M, G or T (1024-based), as in 256M";
inline constexpr std::string_view valid_durations = "seconds or a number with ms, s, m, h or d, as in 90s";

// "65536", "64K", "64KiB", "64KB", "1.5G" in bytes, powers of 1024. Empty when malformed or over 2^63.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

// "90", "90s", "1.5h", "250ms". Empty when malformed, negative or over ten years.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// The shortest form that the parsers above accept: "256M", "65537"; "2m", "90s", "250ms".
[[nodiscard]] std::string shortest_size(std::uint64_t bytes);
[[nodiscard]] std::string shortest_duration(std::chrono::milliseconds time);

// "8.0 GiB", "512 B".
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

// "3.4 of 8.0 GiB": both in the unit of `total`, padded to the width that `part` equal to `total` has.
[[nodiscard]] std::string format_part(std::uint64_t part, std::uint64_t total);

// "112.5 MiB/s".
[[nodiscard]] std::string format_rate(double bytes_per_second);

// "0:07", "12:03", "1:02:03".
[[nodiscard]] std::string format_clock(std::chrono::seconds time);

// "3 s", "2 min", "2 h": for sentences, rounded.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds time);

// 1234567 as "1,234,567".
[[nodiscard]] std::string format_count(std::uint64_t count);

// "1 piece", "2,048 pieces".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view what);

} // namespace ezio

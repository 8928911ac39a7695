// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/units.hpp"

#include "ezio/util/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace ezio {

namespace {

struct Number {
    double value;
    std::string_view unit;
};

// Splits "1.5GiB" into 1.5 and "GiB". Only digits and one decimal point: no sign, exponent, "inf" or "nan".
std::optional<Number> split_number(std::string_view text)
{
    const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string_view digits = text.substr(0, end);
    if (digits.empty() || digits.front() == '.' || digits.back() == '.') {
        return std::nullopt;
    }
    double value = 0;
    const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || rest != digits.data() + digits.size()) {
        return std::nullopt;
    }
    return Number{value, text.substr(end)};
}

bool is_whole(std::string_view digits)
{
    return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<int> size_shift(std::string_view unit)
{
    static constexpr std::string_view prefixes = "KMGT";
    if (unit.empty() || unit == "B") {
        return 0;
    }
    const char prefix = unit[0] >= 'a' ? static_cast<char>(unit[0] - 'a' + 'A') : unit[0];
    const std::size_t power = prefixes.find(prefix);
    const std::string_view rest = unit.substr(1);
    if (power == std::string_view::npos || !(rest.empty() || rest == "B" || rest == "iB")) {
        return std::nullopt;
    }
    return static_cast<int>(10 * (power + 1));
}

std::optional<double> milliseconds_in(std::string_view unit)
{
    if (unit.empty() || unit == "s") {
        return 1e3;
    }
    if (unit == "ms") {
        return 1;
    }
    if (unit == "m" || unit == "min") {
        return 60e3;
    }
    if (unit == "h") {
        return 3600e3;
    }
    if (unit == "d") {
        return 86400e3;
    }
    return std::nullopt;
}

} // namespace

std::optional<std::uint64_t> parse_size(std::string_view text)
{
    constexpr double limit = 9223372036854775808.0; // 2^63
    if (is_whole(text)) {                           // exact, where a double would round
        const auto bytes = parse_number<std::uint64_t>(text);
        return bytes && *bytes <= (1ULL << 63) ? bytes : std::nullopt;
    }
    const auto number = split_number(text);
    const auto shift = number ? size_shift(number->unit) : std::nullopt;
    if (!shift) {
        return std::nullopt;
    }
    const double bytes = std::ldexp(number->value, *shift);
    const bool is_part_of_a_byte = *shift == 0 && bytes != std::floor(bytes);
    return bytes <= limit && !is_part_of_a_byte ? std::optional(static_cast<std::uint64_t>(bytes))
                                                : std::nullopt;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text)
{
    constexpr double ten_years = 3653 * 86400e3;
    const auto number = split_number(text);
    const auto factor = number ? milliseconds_in(number->unit) : std::nullopt;
    if (!factor || number->value * *factor > ten_years) {
        return std::nullopt;
    }
    return std::chrono::milliseconds(static_cast<std::int64_t>(number->value * *factor));
}

std::string shortest_size(std::uint64_t bytes)
{
    static constexpr std::array units{"", "K", "M", "G", "T"};
    std::size_t unit = 0;
    while (bytes > 0 && bytes % 1024 == 0 && unit + 1 < units.size()) {
        bytes /= 1024;
        ++unit;
    }
    return fmt::format("{}{}", bytes, units[unit]);
}

std::string shortest_duration(std::chrono::milliseconds time)
{
    struct Unit {
        std::int64_t milliseconds;
        std::string_view name;
    };
    static constexpr std::array<Unit, 4> units{{{3'600'000, "h"}, {60'000, "m"}, {1000, "s"}, {1, "ms"}}};
    const std::int64_t count = time.count();
    for (const Unit& unit : units) {
        if (count >= unit.milliseconds && count % unit.milliseconds == 0) {
            return fmt::format("{}{}", count / unit.milliseconds, unit.name);
        }
    }
    return fmt::format("{}", count);
}

namespace {

struct Unit {
    double bytes;
    std::string_view name;
};

// The unit that shows `bytes` best with one decimal.
Unit unit_for(std::uint64_t bytes)
{
    static constexpr std::array names{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double unit = 1;
    std::size_t power = 0;
    while (static_cast<double>(bytes) >= (power == 0 ? 1024 : 1023.95 * unit) && power + 1 < names.size()) {
        unit *= 1024;
        ++power;
    }
    return {unit, names.at(power)};
}

std::string number_in(std::uint64_t bytes, const Unit& unit)
{
    return fmt::format("{:.{}f}", static_cast<double>(bytes) / unit.bytes, unit.bytes > 1 ? 1 : 0);
}

} // namespace

std::string format_bytes(std::uint64_t bytes)
{
    const Unit unit = unit_for(bytes);
    return fmt::format("{} {}", number_in(bytes, unit), unit.name);
}

std::string format_part(std::uint64_t part, std::uint64_t total)
{
    const Unit unit = unit_for(total);
    const std::string whole = number_in(total, unit);
    return fmt::format("{:>{}} of {} {}", number_in(part, unit), whole.size(), whole, unit.name);
}

std::string format_rate(double bytes_per_second)
{
    constexpr double most = 9e18; // dividing by almost nothing may exceed it
    return format_bytes(static_cast<std::uint64_t>(std::min(most, std::max(0.0, bytes_per_second)))) + "/s";
}

std::string format_clock(std::chrono::seconds time)
{
    const auto total = std::max<std::int64_t>(0, time.count());
    const auto hours = total / 3600;
    const auto minutes = total / 60 % 60;
    return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, total % 60)
                     : fmt::format("{}:{:02}", minutes, total % 60);
}

std::string format_duration(std::chrono::milliseconds time)
{
    const double seconds = static_cast<double>(time.count()) / 1000;
    if (time.count() != 0 && std::abs(time.count()) < 1000) {
        return fmt::format("{} ms", time.count());
    }
    if (seconds < 10 && time.count() % 1000 != 0) {
        return fmt::format("{:.1f} s", seconds);
    }
    if (seconds < 120) {
        return fmt::format("{:.0f} s", seconds);
    }
    if (seconds < 7200) {
        return fmt::format("{:.0f} min", seconds / 60);
    }
    return fmt::format("{} h", std::round(seconds / 360) / 10); // "2", "2.5"
}

std::string format_count(std::uint64_t count)
{
    std::string digits = fmt::format("{}", count);
    for (std::size_t from_end = 3; from_end < digits.size(); from_end += 4) {
        digits.insert(digits.size() - from_end, 1, ',');
    }
    return digits;
}

std::string counted(std::uint64_t count, std::string_view what)
{
    return fmt::format("{} {}{}", format_count(count), what, count == 1 ? "" : "s");
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Helpers for parsing text.
#pragma once

#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace ezio {

// Parses `text` as a decimal number: only digits (and a '-' if Number is signed), without a prefix such as
// 0x. Empty for anything else, and for a number that does not fit.
template <typename Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text, int base = 10)
{
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number, base);
    return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

// Removes the next line from `text` and returns it without its line end, "
// " or "\r
// ".
[[nodiscard]] std::string_view take_line(std::string_view& text);

// `text` without leading and trailing blanks.
[[nodiscard]] std::string_view trimmed(std::string_view text);

// A to Z as a to z, in any locale.
[[nodiscard]] std::string lower_case(std::string_view text);

// The contents of a small file that may be missing, such as one in sysfs; empty if it cannot be read.
[[nodiscard]] std::string contents_of(const std::filesystem::path& path);
[[nodiscard]] std::string first_line_of(const std::filesystem::path& path); // without its line end

// `wanted`, or if that is taken, the first of "wanted #2", "wanted #3", ... that is not.
template <typename IsTaken>
[[nodiscard]] std::string first_free_name(const std::string& wanted, const IsTaken& is_taken)
{
    std::string name = wanted;
    for (unsigned number = 2; is_taken(name); ++number) {
        name = wanted + " #" + std::to_string(number);
    }
    return name;
}

// The line without trailing spaces.
[[nodiscard]] std::string without_trailing_space(std::string line);

} // namespace ezio

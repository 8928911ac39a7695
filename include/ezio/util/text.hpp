// SPDX-License-Identifier: GPL-2.0-or-later
//
// What every reader of text needs, whatever the text is.
#pragma once

#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace ezio {

// The number that the whole of `text` is: digits alone (and a '-' where Number has a sign), without a prefix
// such as 0x. Empty when it is anything else, or does not fit.
template <typename Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text, int base = 10)
{
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number, base);
    return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

// Takes the next line off `text`, without what ends it: "\n", or "\r\n".
[[nodiscard]] std::string_view take_line(std::string_view& text);

// Without blanks at the ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

// With A to Z as a to z, whatever the locale is.
[[nodiscard]] std::string lower_case(std::string_view text);

// The contents of a small file that may well be missing, such as those of sysfs: empty when it cannot be
// read.
[[nodiscard]] std::string contents_of(const std::filesystem::path& path);
[[nodiscard]] std::string first_line_of(const std::filesystem::path& path); // without its end

// `wanted`, or where that is taken "wanted #2" and so on: the first that is not.
template <typename IsTaken>
[[nodiscard]] std::string first_free_name(const std::string& wanted, const IsTaken& is_taken)
{
    std::string name = wanted;
    for (unsigned number = 2; is_taken(name); ++number) {
        name = wanted + " #" + std::to_string(number);
    }
    return name;
}

// The line up to its last character that is no space.
[[nodiscard]] std::string without_trailing_space(std::string line);

} // namespace ezio

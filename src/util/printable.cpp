// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/printable.hpp"

#include <boost/locale/utf.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace ezio {

namespace {

// Removes the first character from `text`. Of invalid UTF-8 it removes one byte and returns nothing.
std::optional<std::uint32_t> take_character(std::string_view& text)
{
    const char* end = text.data();
    const auto character = boost::locale::utf::utf_traits<char>::decode(end, text.data() + text.size());
    const bool valid = boost::locale::utf::is_valid_codepoint(character);
    text.remove_prefix(valid ? static_cast<std::size_t>(end - text.data()) : 1);
    return valid ? std::optional(character) : std::nullopt;
}

bool begins_character(char c)
{
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
}

bool is_control(std::uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

// Marks that are invisible but change how the text around them is displayed.
bool is_invisible_mark(std::uint32_t c)
{
    return c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xe0000 && c < 0xe0080);
}

} // namespace

std::string printable(std::string_view text)
{
    std::string result;
    while (!text.empty()) {
        const std::string_view rest = text;
        const auto character = take_character(text);
        if (!character || is_control(*character)) {
            result += fmt::format("\\x{:02x}", character.value_or(static_cast<unsigned char>(rest.front())));
        } else if (is_invisible_mark(*character)) {
            result += fmt::format("\\u{:04x}", *character);
        } else {
            result += rest.substr(0, rest.size() - text.size());
        }
    }
    return result;
}

bool is_utf8(std::string_view text)
{
    while (!text.empty()) {
        if (!take_character(text)) {
            return false;
        }
    }
    return true;
}

std::size_t columns(std::string_view utf8)
{
    return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), begins_character));
}

std::string first_columns(const std::string& utf8, std::size_t count)
{
    const auto end =
        std::find_if(utf8.begin(), utf8.end(), [&](char c) { return begins_character(c) && count-- == 0; });
    return {utf8.begin(), end};
}

} // namespace ezio

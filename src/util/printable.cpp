// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace ezio {

namespace {

struct Character {
    std::uint32_t code_point = 0;
    std::size_t bytes = 0; // 0: what is there is no UTF-8
};

unsigned byte_at(std::string_view text, std::size_t at)
{
    return static_cast<unsigned char>(text[at]);
}

std::size_t length_by_first(unsigned first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first < 0xe0) {
        return 2;
    }
    if (first >= 0xe0 && first < 0xf0) {
        return 3;
    }
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

Character first_character(std::string_view text)
{
    static constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; // of so many bytes
    const unsigned first = byte_at(text, 0);
    const std::size_t bytes = length_by_first(first);
    if (bytes == 0 || bytes > text.size()) {
        return {};
    }
    std::uint32_t code_point = bytes == 1 ? first : first & (0x7fU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((byte_at(text, i) & 0xc0U) != 0x80U) {
            return {};
        }
        code_point = code_point << 6 | (byte_at(text, i) & 0x3fU);
    }
    const bool surrogate = code_point >= 0xd800 && code_point < 0xe000;
    return code_point < least[bytes] || code_point > 0x10ffff || surrogate ? Character{}
                                                                           : Character{code_point, bytes};
}

bool is_control(std::uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

// Marks that are not seen themselves, but change how what is around them is shown.
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
        const Character character = first_character(text);
        const std::size_t taken = std::max<std::size_t>(character.bytes, 1);
        if (character.bytes == 0) {
            result += fmt::format("\\x{:02x}", byte_at(text, 0));
        } else if (is_control(character.code_point)) {
            result += fmt::format("\\x{:02x}", character.code_point);
        } else if (is_invisible_mark(character.code_point)) {
            result += fmt::format("\\u{:04x}", character.code_point);
        } else {
            result += text.substr(0, taken);
        }
        text.remove_prefix(taken);
    }
    return result;
}

bool is_utf8(std::string_view text)
{
    while (!text.empty()) {
        const Character character = first_character(text);
        if (character.bytes == 0) {
            return false;
        }
        text.remove_prefix(character.bytes);
    }
    return true;
}

std::size_t columns(std::string_view utf8)
{
    return static_cast<std::size_t>(std::count_if(
        utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

} // namespace ezio

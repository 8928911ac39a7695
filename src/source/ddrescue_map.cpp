// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/ddrescue_map.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace ezio {

namespace {

// As in C++: 0x10 is hexadecimal, 010 octal, 10 decimal.
std::optional<std::uint64_t> parse_any_base(std::string_view text)
{
    if (text.starts_with("0x") || text.starts_with("0X")) {
        return parse_number<std::uint64_t>(text.substr(2), 16);
    }
    return parse_number<std::uint64_t>(text, text.starts_with('0') ? 8 : 10);
}

// The words of a line. At most three matter; a fourth one is an error.
struct Words {
    std::array<std::string_view, 4> word;
    std::size_t count = 0;
};

Words split(std::string_view line)
{
    constexpr std::string_view blanks = " \t\r";
    Words words;
    line = line.substr(0, line.find('#'));
    for (std::size_t at = line.find_first_not_of(blanks);
         at != std::string_view::npos && words.count < words.word.size();
         at = line.find_first_not_of(blanks)) {
        line.remove_prefix(at);
        words.word[words.count++] = line.substr(0, line.find_first_of(blanks));
        line.remove_prefix(words.word[words.count - 1].size());
    }
    return words;
}

bool is_one_of(std::string_view word, std::string_view letters)
{
    return word.size() == 1 && letters.find(word[0]) != std::string_view::npos;
}

class MapParser {
  public:
    explicit MapParser(const std::string& name) : m_name(name) {}

    DdrescueMap parse(std::string_view text);

  private:
    void parse_status(const Words& words);
    void parse_block(const Words& words);
    void add_block(const Extent& block, char status);
    [[nodiscard]] std::uint64_t number(std::string_view word) const;
    [[noreturn]] void fail(const std::string& reason) const;

    const std::string& m_name;
    std::size_t m_line = 0; // the current one, from 1
    bool m_has_status = false;
    bool m_is_of_ddrescue = false;
    DdrescueMap m_map;
};

DdrescueMap MapParser::parse(std::string_view text)
{
    while (!text.empty()) {
        ++m_line;
        const Words words = split(take_line(text));
        if (words.count == 0) {
            continue;
        }
        if (m_has_status) {
            parse_block(words);
        } else {
            parse_status(words);
        }
    }
    if (!m_has_status) {
        fail("the map is empty");
    }
    return std::move(m_map);
}

void MapParser::parse_status(const Words& words)
{
    const bool fits = (words.count == 2 || words.count == 3) && is_one_of(words.word[1], "?*/-FG+");
    if (!fits) {
        fail("this is not a status line (POS STATUS [PASS]); is it a map of ddrescue or partclone -D?");
    }
    m_map.position = number(words.word[0]);
    if (words.count == 3) {
        (void)number(words.word[2]); // only checked
        m_is_of_ddrescue = true;
    }
    m_has_status = true;
}

void MapParser::parse_block(const Words& words)
{
    if (words.count != 3 || !is_one_of(words.word[2], "?*/-+")) {
        fail("this is not a block (POS SIZE STATUS, a status being one of ? * / - +)");
    }
    const Extent block{number(words.word[0]), number(words.word[1])};
    if (block.offset > largest_offset || block.length > largest_offset - block.offset) {
        fail(fmt::format("block {:#x} + {} bytes ends beyond the largest possible device", block.offset,
                         block.length));
    }
    if (block.offset < m_map.end) {
        fail(fmt::format("block {:#x} begins before the one before it ends, at {:#x}", block.offset,
                         m_map.end));
    }
    add_block(block, words.word[2][0]);
}

void MapParser::add_block(const Extent& block, char status)
{
    m_map.has_gaps = m_map.has_gaps || block.offset != m_map.end;
    m_map.end = block.end();
    if (status == '+' && block.length > 0) {
        if (!m_map.used.empty() && m_map.used.back().end() == block.offset) {
            m_map.used.back().length += block.length;
        } else {
            m_map.used.push_back(block);
        }
    } else if (status != '+' && (status != '?' || m_is_of_ddrescue)) {
        m_map.unread_bytes += block.length;
    }
}

std::uint64_t MapParser::number(std::string_view word) const
{
    const auto value = parse_any_base(word);
    if (!value) {
        fail(fmt::format("'{}' is not a number below 2^64", word));
    }
    return *value;
}

void MapParser::fail(const std::string& reason) const
{
    throw Error(ExitStatus::torrent,
                fmt::format("{}:{}: {}", m_name, std::max<std::size_t>(m_line, 1), reason));
}

} // namespace

DdrescueMap parse_ddrescue_map(std::string_view text, const std::string& name)
{
    return MapParser(name).parse(text);
}

} // namespace ezio

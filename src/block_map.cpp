// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/block_map.hpp"

#include "ezio/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

namespace ezio {

namespace {

constexpr std::uint64_t largest_offset = std::numeric_limits<std::int64_t>::max();

// As in C++: 0x10 is hexadecimal, 010 octal, 10 decimal.
std::optional<std::uint64_t> parse_number(std::string_view text)
{
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text[0] == '0') {
        base = 8;
    }
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole ? std::optional(number) : std::nullopt;
}

// The words of a line, of which there are at most four that matter: a fourth is one too many.
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

class Parser {
  public:
    explicit Parser(const std::string& name) : m_name(name) {}

    BlockMap parse(std::string_view text);

  private:
    void parse_status(const Words& words);
    void parse_block(const Words& words);
    void add_block(const Extent& block, char status);
    [[nodiscard]] std::uint64_t number(std::string_view word) const;
    [[noreturn]] void fail(const std::string& reason) const;

    const std::string& m_name;
    std::size_t m_line = 0; // the current one, from 1
    bool m_has_status = false;
    BlockMap m_map;
};

BlockMap Parser::parse(std::string_view text)
{
    while (!text.empty()) {
        ++m_line;
        const std::size_t length = std::min(text.find('\n'), text.size());
        const Words words = split(text.substr(0, length));
        text.remove_prefix(std::min(length + 1, text.size()));
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

void Parser::parse_status(const Words& words)
{
    const bool fits = (words.count == 2 || words.count == 3) && is_one_of(words.word[1], "?*/-FG+");
    if (!fits) {
        fail("this is no status line (POS STATUS [PASS]); is it a map of ddrescue or partclone -D?");
    }
    m_map.position = number(words.word[0]);
    if (words.count == 3) {
        (void)number(words.word[2]); // only its form is of interest
    }
    m_has_status = true;
}

void Parser::parse_block(const Words& words)
{
    if (words.count != 3 || !is_one_of(words.word[2], "?*/-+")) {
        fail("this is no block (POS SIZE STATUS, a status being one of ? * / - +)");
    }
    const Extent block{number(words.word[0]), number(words.word[1])};
    if (block.offset > largest_offset || block.length > largest_offset - block.offset) {
        fail(fmt::format("block {:#x} + {} bytes ends beyond what a device can have", block.offset,
                         block.length));
    }
    if (block.offset < m_map.end) {
        fail(fmt::format("block {:#x} begins before the one before it ends, at {:#x}", block.offset,
                         m_map.end));
    }
    add_block(block, words.word[2][0]);
}

void Parser::add_block(const Extent& block, char status)
{
    m_map.has_gaps = m_map.has_gaps || block.offset != m_map.end;
    m_map.end = block.end();
    if (status == '+' && block.length > 0) {
        if (!m_map.used.empty() && m_map.used.back().end() == block.offset) {
            m_map.used.back().length += block.length;
        } else {
            m_map.used.push_back(block);
        }
    } else if (status != '+' && status != '?') {
        m_map.unread_bytes += block.length;
    }
}

std::uint64_t Parser::number(std::string_view word) const
{
    const auto value = parse_number(word);
    if (!value) {
        fail(fmt::format("'{}' is no number below 2^64", word));
    }
    return *value;
}

void Parser::fail(const std::string& reason) const
{
    throw Error(ExitStatus::torrent,
                fmt::format("{}:{}: {}", m_name, std::max<std::size_t>(m_line, 1), reason));
}

} // namespace

BlockMap parse_block_map(std::string_view text, const std::string& name)
{
    return Parser(name).parse(text);
}

} // namespace ezio

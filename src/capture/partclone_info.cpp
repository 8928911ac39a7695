// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/capture/partclone_info.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

namespace ezio {

namespace {

// Parses the text line by line. An extent is complete only with its length, so the offset waits in m_offset
// until then.
class TorrentInfoParser {
  public:
    explicit TorrentInfoParser(const std::string& name) : m_name(name) {}

    PartcloneInfo parse(std::string_view text);

  private:
    // A line number, for later messages.
    using Line = std::size_t;

    struct Offset {
        std::uint64_t value;
        Line line;
    };

    void parse_line(std::string_view text);
    void parse_entry(std::string_view key, std::string_view value);
    void add_offset(std::uint64_t offset);
    void add_length(std::uint64_t length);
    void add_hash(std::string_view value);
    void refuse_overlaps() const;
    void refuse_wrong_hash_count() const;
    [[nodiscard]] std::uint64_t hex_number(std::string_view key, std::string_view value) const;
    [[noreturn]] void fail(Line line, const std::string& reason) const;

    const std::string& m_name;
    Line m_line = 0; // the current one, from 1
    std::optional<Offset> m_offset;
    PartcloneInfo m_info;
    std::vector<Line> m_extent_lines; // of the offsets, parallel to m_info.extents
    std::vector<Line> m_hash_lines;   // parallel to m_info.hashes
};

PartcloneInfo TorrentInfoParser::parse(std::string_view text)
{
    while (!text.empty()) {
        ++m_line;
        parse_line(trimmed(take_line(text)));
    }
    if (m_offset) {
        fail(m_offset->line, "this offset has no length");
    }
    if (m_info.extents.empty()) {
        fail(m_line, "there is no extent in this file; did partclone write it to the end?");
    }
    refuse_overlaps();
    refuse_wrong_hash_count();
    return std::move(m_info);
}

void TorrentInfoParser::parse_line(std::string_view text)
{
    if (text.empty()) {
        return;
    }
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        fail(m_line, "this is not a 'key: value' line; is it a torrent.info of partclone?");
    }
    parse_entry(trimmed(text.substr(0, colon)), trimmed(text.substr(colon + 1)));
}

void TorrentInfoParser::parse_entry(std::string_view key, std::string_view value)
{
    if (key == "offset") {
        add_offset(hex_number(key, value));
    } else if (key == "length") {
        add_length(hex_number(key, value));
    } else if (key == "sha1") {
        add_hash(value);
    } else if ((key == "block_size" || key == "blocks_total") && !parse_number<std::uint64_t>(value)) {
        fail(m_line, fmt::format("{} is not a number: '{}'", key, value));
    }
}

void TorrentInfoParser::add_offset(std::uint64_t offset)
{
    if (m_offset) {
        fail(m_offset->line, "this offset has no length");
    }
    m_offset = Offset{offset, m_line};
}

void TorrentInfoParser::add_length(std::uint64_t length)
{
    if (!m_offset) {
        fail(m_line, "this length has no offset before it");
    }
    if (m_offset->value > largest_offset || length > largest_offset - m_offset->value) {
        fail(m_offset->line, fmt::format("extent {:#x} + {} bytes ends beyond the largest possible device",
                                         m_offset->value, length));
    }
    if (length > 0) { // partclone.dd can write an empty extent
        m_info.extents.push_back({m_offset->value, length});
        m_extent_lines.push_back(m_offset->line);
    }
    m_offset.reset();
}

void TorrentInfoParser::add_hash(std::string_view value)
{
    const auto digest = parse_sha1(value);
    if (!digest) {
        fail(m_line, fmt::format("a sha1 has 40 hex digits, this is '{}'", value));
    }
    m_info.hashes.push_back(*digest);
    m_hash_lines.push_back(m_line);
}

// ExtentMap refuses overlaps, too, but does not know the lines.
void TorrentInfoParser::refuse_overlaps() const
{
    const auto& extents = m_info.extents;
    std::vector<std::size_t> order(extents.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return extents[a].offset < extents[b].offset; });
    for (std::size_t i = 1; i < order.size(); ++i) {
        const auto [first, second] = std::minmax(order[i - 1], order[i]);
        if (extents[order[i]].offset < extents[order[i - 1]].end()) {
            fail(m_extent_lines[second],
                 fmt::format("extent {:#x} + {} bytes overlaps the one of line {}, {:#x} + {} bytes",
                             extents[second].offset, extents[second].length, m_extent_lines[first],
                             extents[first].offset, extents[first].length));
        }
    }
}

void TorrentInfoParser::refuse_wrong_hash_count() const
{
    const std::uint64_t bytes = total_length(m_info.extents);
    const std::uint64_t needed = (bytes - 1) / PartcloneInfo::piece_length + 1;
    const std::uint64_t found = m_info.hashes.size();
    if (found != needed) {
        fail(found > needed ? m_hash_lines[needed] : m_line,
             fmt::format("{} sha1: the extents' {} bytes need {} of them, there are {}",
                         found > needed ? "surplus" : "missing", bytes, needed, found));
    }
}

std::uint64_t TorrentInfoParser::hex_number(std::string_view key, std::string_view value) const
{
    const auto number = value.size() == 32 ? parse_extent_name(value) : std::nullopt;
    if (!number) {
        fail(m_line,
             fmt::format("{} needs 32 hex digits, for a number below 2^64; this is '{}'", key, value));
    }
    return *number;
}

void TorrentInfoParser::fail(Line line, const std::string& reason) const
{
    throw Error(ExitStatus::torrent, fmt::format("{}:{}: {}", m_name, std::max<Line>(line, 1), reason));
}

} // namespace

bool looks_like_partclone_info(std::string_view beginning)
{
    const std::size_t first = beginning.find_first_not_of(" \t\r\n");
    const std::string_view line =
        first == std::string_view::npos ? std::string_view() : beginning.substr(first);
    const std::string_view key = trimmed(line.substr(0, line.find(':')));
    const auto keys = {"block_size", "blocks_total", "offset", "length", "sha1"};
    return key.size() < line.size() && std::find(keys.begin(), keys.end(), key) != keys.end();
}

PartcloneInfo parse_partclone_info(std::string_view text, const std::string& name)
{
    return TorrentInfoParser(name).parse(text);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/torrent_memory.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace ezio {

namespace {

constexpr std::uint64_t for_each_extent = 360;
constexpr std::uint64_t for_each_piece = 128;
constexpr std::uint64_t for_each_byte = 6;   // of the torrent, at least: a piece has 20, an extent about 40
constexpr std::uint64_t for_each_token = 24; // decoded three times, two of these at the same time

constexpr std::uint64_t among_the_rest = 32_MiB;
constexpr std::uint64_t least_for_data = 16_MiB;

std::uint64_t taken_by(std::uint64_t extents, std::uint64_t pieces)
{
    return for_each_extent * extents + for_each_piece * pieces;
}

std::uint64_t count(std::string_view bytes, std::string_view what)
{
    std::uint64_t times = 0;
    for (auto at = bytes.find(what); at != std::string_view::npos; at = bytes.find(what, at + what.size())) {
        ++times;
    }
    return times;
}

// From the length of the string that contains all their hashes.
std::uint64_t pieces_named_in(std::string_view bytes)
{
    constexpr std::string_view key = "6:pieces";
    constexpr std::uint64_t hash_bytes = 20;
    const auto at = bytes.find(key);
    std::uint64_t length = 0;
    if (at != std::string_view::npos) {
        const std::string_view rest = bytes.substr(at + key.size());
        (void)std::from_chars(rest.data(), rest.data() + rest.size(), length);
    }
    return std::min<std::uint64_t>(length, bytes.size()) / hash_bytes;
}

Error too_large(const std::string& path, const std::string& what, std::uint64_t taken)
{
    const std::uint64_t needed = (taken - among_the_rest + least_for_data + 1_MiB - 1) / 1_MiB;
    return {ExitStatus::torrent,
            fmt::format("{} {}, which takes more memory than --memory allows; it needs --memory {}M or more",
                        path, what, needed)};
}

} // namespace

std::uint64_t TorrentMemory::most() const
{
    return among_the_rest + m_memory - std::min(m_memory, least_for_data);
}

std::uint64_t TorrentMemory::longest_file() const
{
    return most() / for_each_byte;
}

int TorrentMemory::most_tokens() const
{
    return static_cast<int>(
        std::min<std::uint64_t>(most() / for_each_token, std::numeric_limits<int>::max()));
}

std::uint32_t TorrentMemory::most_pieces() const
{
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(most() / for_each_piece, std::numeric_limits<std::int32_t>::max()));
}

void TorrentMemory::refuse_long(std::uint64_t size, const std::string& path) const
{
    if (size > longest_file()) {
        throw too_large(path, fmt::format("is {} long", format_bytes(size)), for_each_byte * size);
    }
}

void TorrentMemory::refuse_longer(std::uint64_t so_far, const std::string& path) const
{
    if (so_far > longest_file()) {
        throw too_large(path, fmt::format("is longer than {}", format_bytes(longest_file())),
                        for_each_byte * so_far);
    }
}

void TorrentMemory::refuse_large(std::string_view bytes, const std::string& path) const
{
    const std::uint64_t extents = count(bytes, "6:lengthi");
    const std::uint64_t pieces = pieces_named_in(bytes);
    const std::uint64_t taken = taken_by(extents, pieces);
    if (taken > most()) {
        throw too_large(
            path, fmt::format("has {} and {}", counted(pieces, "piece"), counted(extents, "extent")), taken);
    }
}

std::uint64_t TorrentMemory::for_data(const Image& image) const
{
    const std::uint64_t taken = taken_by(image.extents.size() + image.padding.size(), image.piece_count());
    const std::uint64_t beyond = taken - std::min(taken, among_the_rest);
    return std::max(least_for_data, m_memory - std::min(m_memory, beyond));
}

} // namespace ezio

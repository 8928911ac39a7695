// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/portability.hpp"

#include "ezio/util/units.hpp"

#include <fmt/format.h>

namespace ezio {

namespace {

// The default of libtorrent's load_torrent_limits, which most clients based on it keep.
constexpr std::uint64_t usual_torrent_limit = 10'000'000;

// rtorrent 0.9.8 and libtorrent 2.0.11.
constexpr std::uint64_t usual_piece_limit = 128_MiB;

} // namespace

std::vector<std::string> portability_warnings(std::uint64_t torrent_bytes, std::uint64_t extents,
                                              std::uint64_t piece_length)
{
    std::vector<std::string> warnings;
    if (torrent_bytes > usual_torrent_limit) {
        warnings.push_back(
            fmt::format("a torrent of {} ({} extents) is too large for many other BitTorrent clients: "
                        "they stop at 10 MB",
                        format_bytes(torrent_bytes), format_count(extents)));
    }
    if (piece_length > usual_piece_limit) {
        warnings.push_back(
            fmt::format("pieces of {} are too large for many other BitTorrent clients: they stop at {}",
                        format_bytes(piece_length), format_bytes(usual_piece_limit)));
    }
    return warnings;
}

} // namespace ezio

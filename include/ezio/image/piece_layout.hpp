// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <cstdint>

namespace ezio {

// Pieces are transferred in blocks of this many bytes (BitTorrent's request size).
inline constexpr std::uint32_t block_bytes = 16 * 1024;

// The last one may be short.
[[nodiscard]] constexpr std::uint64_t blocks_in(std::uint64_t bytes)
{
    return (bytes + block_bytes - 1) / block_bytes;
}

// How a payload is cut into pieces. In bytes.
struct PieceLayout {
    std::uint64_t payload_size = 0;
    std::uint64_t piece_length = 0;

    // The last one may be short.
    [[nodiscard]] constexpr std::uint64_t count() const
    {
        return (payload_size + piece_length - 1) / piece_length;
    }
    [[nodiscard]] constexpr std::uint64_t piece_offset(std::uint32_t piece) const
    {
        return piece * piece_length;
    }
    [[nodiscard]] constexpr std::uint64_t piece_size(std::uint32_t piece) const
    {
        return std::min(piece_length, payload_size - piece_offset(piece));
    }
    [[nodiscard]] constexpr std::uint32_t piece_of(std::uint64_t offset) const
    {
        return static_cast<std::uint32_t>(offset / piece_length);
    }
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/piece_length.hpp"

namespace ezio {

std::uint64_t choose_piece_length(std::uint64_t payload_bytes)
{
    std::uint64_t length = shortest_piece;
    while (length < longest_piece && payload_bytes > most_pieces * length) {
        length *= 2;
    }
    return length;
}

} // namespace ezio

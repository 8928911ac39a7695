// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/piece_length.hpp"

#include "catch.hpp"

#include <bit>

namespace ezio {

TEST_CASE("piece length: it is what a swarm wants for a small, a usual and a huge image")
{
    CHECK(choose_piece_length(1) == 256_KiB);
    CHECK(choose_piece_length(1_GiB) == 256_KiB);       // 4,096 pieces
    CHECK(choose_piece_length(10_GiB) == 1_MiB);        // 10,240
    CHECK(choose_piece_length(60_GiB) == 8_MiB);        // 7,680
    CHECK(choose_piece_length(2048 * 1_GiB) == 16_MiB); // 131,072: larger pieces help nobody
}

TEST_CASE("piece length: it grows with the payload, by powers of two, and never makes too many pieces")
{
    std::uint64_t before = 0;
    for (std::uint64_t payload = 1; payload <= 160_GiB; payload = payload * 5 / 4 + 1) {
        const std::uint64_t length = choose_piece_length(payload);
        CAPTURE(payload, length);
        CHECK(std::has_single_bit(length));
        CHECK(length >= before);
        CHECK((length == longest_piece || (payload + length - 1) / length <= most_pieces));
        before = length;
    }
}

} // namespace ezio

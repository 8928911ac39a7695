// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/units.hpp"

#include <cstdint>

namespace ezio {

// What create chooses between. Smaller pieces let the machines share sooner, but BitTorrent clients look
// through their list of pieces for every block: with many more than 10,000 that costs more than the data
// itself.
inline constexpr std::uint64_t most_pieces = 10'240;
inline constexpr std::uint64_t shortest_piece = 256_KiB;
inline constexpr std::uint64_t longest_piece = 16_MiB;

// The smallest of them, a power of two, that makes no more than most_pieces of `payload_bytes`; the longest
// if none does.
[[nodiscard]] std::uint64_t choose_piece_length(std::uint64_t payload_bytes);

} // namespace ezio

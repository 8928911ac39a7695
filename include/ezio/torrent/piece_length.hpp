// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/units.hpp"

#include <cstdint>

namespace ezio {

// Smaller pieces let the machines share sooner, but BitTorrent clients search their list of pieces for every
// block: with many more than 10,000 that costs more than the data itself.
inline constexpr std::uint64_t most_pieces = 10'240;
inline constexpr std::uint64_t shortest_piece = 256_KiB;
inline constexpr std::uint64_t longest_piece = 16_MiB;

// The smallest of these powers of two that makes at most most_pieces pieces of `payload_bytes`; the largest
// if none does.
[[nodiscard]] std::uint64_t choose_piece_length(std::uint64_t payload_bytes);

} // namespace ezio

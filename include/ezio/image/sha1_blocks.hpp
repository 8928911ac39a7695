// SPDX-License-Identifier: GPL-2.0-or-later
//
// SHA-1's inner loop with the processor's SHA instructions (x86 since Goldmont and Zen), for one message or
// for two at once. Each of these instructions waits for the previous one, so with one message the processor
// is idle nearly half of the time. Two messages side by side take 1.2 times as long as one (AMD EPYC: 1.77
// GB/s for one, like OpenSSL; 2.95 GB/s for two together; three no longer fit the registers: 1.8 GB/s).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ezio {

using Sha1State = std::array<std::uint32_t, 5>;

inline constexpr Sha1State sha1_start{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
inline constexpr std::size_t sha1_block_bytes = 64;

// Whether the processor has the instructions. If not, the two functions below must not be called.
[[nodiscard]] bool has_sha1_instructions();

// Hashes `blocks` blocks from `data` into `state`.
void hash_sha1_blocks(Sha1State& state, const std::byte* data, std::size_t blocks);

// The same for two messages.
void hash_sha1_blocks(Sha1State& state_a, const std::byte* data_a, Sha1State& state_b,
                      const std::byte* data_b, std::size_t blocks);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// SHA-1's inner loop with the processor's SHA instructions (x86 since Goldmont and Zen), for one message or
// for two at once. Each of those instructions waits for the one before it, so that a processor with one
// message is idle nearly half of the time: two messages side by side take 1.2 times as long as one (AMD
// EPYC: 1.77 GB/s for one, as OpenSSL; 2.95 GB/s for two together; three no longer fit the registers, 1.8
// GB/s).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ezio {

using Sha1State = std::array<std::uint32_t, 5>;

inline constexpr Sha1State sha1_start{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
inline constexpr std::size_t sha1_block_bytes = 64;

// Whether the processor has the instructions. Without them the two functions below must not be called.
[[nodiscard]] bool has_sha1_instructions();

// Takes `blocks` blocks, from `data` on, into `state`.
void hash_sha1_blocks(Sha1State& state, const std::byte* data, std::size_t blocks);

// The same for two messages.
void hash_sha1_blocks(Sha1State& state_a, const std::byte* data_a, Sha1State& state_b,
                      const std::byte* data_b, std::size_t blocks);

} // namespace ezio

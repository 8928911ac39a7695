// SPDX-License-Identifier: GPL-2.0-or-later
//
// Fetches a whole piece from one peer, to learn the right digests of its blocks. Blocks are hashed in order;
// early ones wait, never more than the window.
//
// Invariant: m_early holds blocks from m_hashed + 1 to m_hashed + window - 1 only.
#pragma once

#include "ezio/image/sha1.hpp"
#include "ezio/util/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

namespace ezio {

// Not thread-safe.
class PieceProbe {
  public:
    // Blocks requested ahead of the one that is hashed next.
    static constexpr std::uint32_t window = 16;
    // The longest wait for a block.
    static constexpr milliseconds patience{5000};

    struct Block {
        std::uint32_t start;
        std::uint32_t length;
    };

    PieceProbe(std::uint32_t piece, std::uint64_t size, Clock::time_point now);

    [[nodiscard]] std::uint32_t piece() const { return m_piece; }

    // The blocks to request now. Each is returned once, and again after rejected().
    [[nodiscard]] std::vector<Block> next_requests();

    void rejected(std::uint32_t start);

    // The peer has sent a block, whether or not it was requested here.
    void take(std::uint32_t start, std::span<const std::byte> data, Clock::time_point now);

    [[nodiscard]] bool is_complete() const { return m_hashed == m_blocks; }
    [[nodiscard]] bool has_stalled(Clock::time_point now) const { return now - m_moved >= patience; }

    // The digest of the piece, and below those of its blocks. Only when complete.
    [[nodiscard]] Sha1Digest finish() { return m_sha1.finish(); }
    [[nodiscard]] const std::vector<Sha1Digest>& digests() const { return m_digests; }

  private:
    [[nodiscard]] std::uint32_t length_of(std::uint32_t block) const;
    void hash(std::span<const std::byte> data);

    const std::uint32_t m_piece;
    const std::uint64_t m_size;
    const std::uint32_t m_blocks;
    std::uint32_t m_hashed = 0; // blocks, from the first one on
    std::map<std::uint32_t, std::vector<std::byte>> m_early;
    std::set<std::uint32_t> m_asked; // not received yet
    Sha1 m_sha1;
    std::vector<Sha1Digest> m_digests;
    Clock::time_point m_moved;
};

} // namespace ezio

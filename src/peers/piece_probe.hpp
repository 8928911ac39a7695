// SPDX-License-Identifier: GPL-2.0-or-later
//
// Fetches a piece whole from one peer, to learn what its blocks must be. Blocks are hashed in order; those
// that come early wait, which are never more than the window.
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
    // Blocks asked for ahead of the one that is hashed next.
    static constexpr std::uint32_t window = 16;
    // Without a block of it.
    static constexpr milliseconds patience{5000};

    struct Block {
        std::uint32_t start;
        std::uint32_t length;
    };

    PieceProbe(std::uint32_t piece, std::uint64_t size, Clock::time_point now);

    [[nodiscard]] std::uint32_t piece() const { return m_piece; }

    // What to ask the peer for now. Each block is named once, and again after rejected().
    [[nodiscard]] std::vector<Block> next_requests();

    void rejected(std::uint32_t start);

    // The peer has sent a block, asked for by this or not.
    void take(std::uint32_t start, std::span<const std::byte> data, Clock::time_point now);

    [[nodiscard]] bool is_complete() const { return m_hashed == m_blocks; }
    [[nodiscard]] bool has_stalled(Clock::time_point now) const { return now - m_moved >= patience; }

    // Once it is complete: of the piece, and of each of its blocks.
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
    std::set<std::uint32_t> m_asked; // not received
    Sha1 m_sha1;
    std::vector<Sha1Digest> m_digests;
    Clock::time_point m_moved;
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds out which peer sent a wrong block. A wrong piece hash shows only that one of the blocks is wrong.
//
//     taken()     records the source of a block of a piece that has not passed yet
//     failed()    returns the sources of a piece whose hash was wrong
//     remember()  keeps them, with the digests of their blocks
//     judge()     compares these with the right digests: only the sources of blocks that differ are guilty
//
// A piece from a single source needs no comparison: see sole_source(). The memory for digests is bounded;
// beyond the bound the oldest piece is forgotten.
//
// Invariant: m_suspects contains exactly the pieces of m_attempts, the oldest first.
#pragma once

#include "ezio/image/image.hpp"
#include "ezio/image/sha1.hpp"
#include "ezio/net/addresses.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace ezio {

// A peer; kept while any of its blocks is remembered.
struct BlockSource {
    Endpoint address;
    std::string process = {}; // see process_id(); empty: not sent
    bool is_web_seed = false;
    bool is_guilty = false;        // sent wrong data
    std::uint64_t good_blocks = 0; // in pieces that have passed
};
using BlockSourcePtr = std::shared_ptr<BlockSource>;
using BlockSources = std::vector<BlockSourcePtr>;            // for each block of a piece; may be null
using BlockDigests = std::vector<std::optional<Sha1Digest>>; // for each block of a piece

// Not thread-safe.
class BlockBlame {
  public:
    // The limit for blocks of failed pieces; each takes 40 bytes.
    static constexpr std::size_t most_blocks = 128 * 1024;

    // `image` must outlive it.
    explicit BlockBlame(const Image& image) : m_image(image) {}

    [[nodiscard]] std::uint32_t blocks_of(std::uint32_t piece) const;

    void taken(std::uint32_t piece, std::uint32_t block, BlockSourcePtr source);

    // The piece's hash was right. Returns whether it failed before; then judge() has to be called.
    [[nodiscard]] bool passed(std::uint32_t piece);

    // The piece's hash was wrong: all of it is fetched again. Returns the source of each block.
    [[nodiscard]] BlockSources failed(std::uint32_t piece);

    // Keeps them until the piece is judged. A block without a digest blames no source.
    void remember(std::uint32_t piece, BlockSources sources, BlockDigests digests);

    // Compares with `right`, the right digests of the piece's blocks. Returns the sources found guilty, each
    // of them only once ever, and forgets the piece.
    [[nodiscard]] BlockSources judge(std::uint32_t piece, const BlockDigests& right);

    // Pieces that failed and are not judged yet, the oldest first.
    [[nodiscard]] const std::deque<std::uint32_t>& suspects() const { return m_suspects; }

  private:
    struct Attempt {
        BlockSources sources;
        BlockDigests digests;
    };

    void forget(std::uint32_t piece);

    const Image& m_image;
    std::unordered_map<std::uint32_t, BlockSources> m_sources; // of pieces in progress
    std::unordered_map<std::uint32_t, std::vector<Attempt>> m_attempts;
    std::deque<std::uint32_t> m_suspects;
    std::size_t m_remembered = 0; // blocks
};

// The source of all blocks of a piece; null if there are several, or if the source of a block is unknown.
[[nodiscard]] BlockSourcePtr sole_source(const BlockSources& sources);

} // namespace ezio

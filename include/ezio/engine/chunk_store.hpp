// SPDX-License-Identifier: GPL-2.0-or-later
//
// The payload in memory: chunks, their slabs, and which may be evicted. No threads, no locks, no I/O.
//
// The payload is cut into chunks: a whole piece, or the aligned 1 MiB (or less) parts of a larger one. A
// chunk in memory has one slab. For each of its blocks there are these bits:
//     filling   the network thread is copying it in          present   its bytes are in the slab
//     reading   a worker is reading it in                    dirty     present, and not on the disk yet
//                                                            writing   dirty, and a worker is writing it
// and, for every chunk of the payload whether in memory or not, on_disk: the target has the block.
//
// The clean slabs are the read cache, evicted least recently used first. It begins small and grows only while
// that would have saved reads: an evicted chunk leaves its number behind (a ghost), and a miss on a ghost
// raises the limit by a slab. Memory that brings no hits is never touched, and data reused soon is still in
// the processor's cache: 2 GiB to one peer cost 1.78 CPU-s per GiB with 32 MiB of slabs in use, 2.0 with 256
// MiB, 2.4 with 1 GiB (AMD EPYC, 2 cores, 32 MiB of L3, both sides together).
//
// Invariants (check_invariants):
//     filling, reading and present exclude each other; writing is in dirty, dirty is in present;
//     a dirty block is not on_disk; a chunk is in the LRU list exactly when it is not filling, reading or
//     dirty; slabs in use = chunks in memory + orphans (dropped while pinned).
#pragma once

#include "ezio/engine/arena.hpp"
#include "ezio/image/piece_layout.hpp"

#include <boost/range/adaptor/transformed.hpp>
#include <boost/range/irange.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

namespace ezio {

// The number of a chunk in the payload; not that of a piece.
enum class ChunkIndex : std::uint64_t {};

[[nodiscard]] constexpr std::uint64_t number(ChunkIndex index)
{
    return static_cast<std::uint64_t>(index);
}

constexpr ChunkIndex& operator++(ChunkIndex& index)
{
    return index = ChunkIndex{number(index) + 1};
}

constexpr ChunkIndex& operator--(ChunkIndex& index)
{
    return index = ChunkIndex{number(index) - 1};
}

// How the payload is cut. Lengths in bytes, all powers of two; block_bytes <= chunk_length <= piece_length.
struct CacheGeometry : PieceLayout {
    std::uint64_t chunk_length = 0; // at most 64 blocks, so that a chunk's bits are one word

    [[nodiscard]] ChunkIndex chunk_of(std::uint64_t offset) const
    {
        return ChunkIndex{offset / chunk_length};
    }
    [[nodiscard]] std::uint64_t chunk_offset(ChunkIndex chunk) const { return number(chunk) * chunk_length; }
    [[nodiscard]] std::uint64_t chunk_count() const
    {
        return (payload_size + chunk_length - 1) / chunk_length;
    }
    [[nodiscard]] std::uint64_t chunk_size(ChunkIndex chunk) const
    {
        return std::min(chunk_length, payload_size - chunk_offset(chunk));
    }
    [[nodiscard]] std::uint32_t piece_of(ChunkIndex chunk) const
    {
        return PieceLayout::piece_of(chunk_offset(chunk));
    }
    using PieceLayout::piece_of;
    // The chunks of the piece, in order.
    [[nodiscard]] auto chunks_of(std::uint32_t piece) const
    {
        const std::uint64_t first = number(chunk_of(piece_offset(piece)));
        const std::uint64_t last = number(chunk_of(piece_offset(piece) + piece_size(piece) - 1));
        return boost::irange(first, last + 1) |
               boost::adaptors::transformed([](std::uint64_t index) { return ChunkIndex{index}; });
    }

    // The block at `offset`, as a bit of its chunk.
    [[nodiscard]] std::uint64_t bit_of(std::uint64_t offset) const
    {
        return 1ULL << (offset % chunk_length / block_bytes);
    }
    // The blocks that [offset, offset + length) touches; it lies within one chunk.
    [[nodiscard]] std::uint64_t bits_of(std::uint64_t offset, std::uint64_t length) const
    {
        const std::uint64_t last = bit_of(offset + length - 1);
        return (last | (last - 1)) & ~(bit_of(offset) - 1);
    }
    // One bit for each block of the chunk.
    [[nodiscard]] std::uint64_t all_blocks(ChunkIndex chunk) const
    {
        const std::uint64_t blocks = blocks_in(chunk_size(chunk));
        return blocks == 64 ? ~0ULL : (1ULL << blocks) - 1;
    }
};

// The chunk length for pieces of `piece_length` within `memory` bytes: small enough for 128 of them.
[[nodiscard]] std::uint64_t choose_chunk_length(std::uint64_t piece_length, std::uint64_t memory);

struct Chunk {
    std::byte* slab = nullptr;
    std::uint64_t present = 0;
    std::uint64_t dirty = 0;
    std::uint64_t writing = 0;
    std::uint64_t filling = 0;
    std::uint64_t reading = 0;
    bool read_counted = false; // PieceCache's: the read is one of the piece's jobs

  private:
    friend class ChunkStore;
    bool m_held = false;   // counted in ChunkStore::held()
    bool m_in_lru = false; // m_lru is valid
    std::list<ChunkIndex>::iterator m_lru;
};

class ChunkStore {
  public:
    // `clean_at_first` slabs are the read cache's first limit; the arena's limit is the last.
    ChunkStore(CacheGeometry geometry, Arena& arena, std::size_t clean_at_first);

    // The chunk if it is in memory. References to a chunk stay valid until it is dropped.
    [[nodiscard]] Chunk* find(ChunkIndex index);
    [[nodiscard]] const Chunk* find(ChunkIndex index) const;

    // The chunk, with a slab if it had none; nullptr when there is no slab for it.
    [[nodiscard]] Chunk* make(ChunkIndex index, Arena::Supply supply);

    // To be called after a change of the chunk's bits: updates whether it is held or evictable, and drops it
    // if it is empty.
    void settle(ChunkIndex index, Chunk& chunk);

    // Marks the chunk as used: it is evicted later.
    void touch(Chunk& chunk);

    // The chunk has to be read: it may have been evicted too early.
    void learn_from_miss(ChunkIndex index);

    [[nodiscard]] std::uint64_t& on_disk(ChunkIndex index) { return m_on_disk[number(index)]; }
    [[nodiscard]] std::uint64_t on_disk(ChunkIndex index) const { return m_on_disk[number(index)]; }

    // Blocks of the chunk that were received: present or on the disk.
    [[nodiscard]] std::uint64_t received(ChunkIndex index) const;

    [[nodiscard]] const std::unordered_map<ChunkIndex, Chunk>& chunks() const { return m_chunks; }

    // Slabs that cannot be evicted because they contain received data.
    [[nodiscard]] std::size_t held() const { return m_held; }

    // Aborts the program when an invariant does not hold.
    void check_invariants() const;

  private:
    [[nodiscard]] std::byte* take_slab(Arena::Supply supply);
    [[nodiscard]] bool evict_one();
    void remember_ghost(ChunkIndex index);
    void reclaim_orphans();
    void drop(ChunkIndex index, Chunk& chunk);

    const CacheGeometry m_geometry;
    Arena& m_arena;
    std::vector<std::uint64_t> m_on_disk; // for each chunk, a bit for each block
    std::unordered_map<ChunkIndex, Chunk> m_chunks;
    std::size_t m_held = 0;
    std::list<ChunkIndex> m_lru;    // evictable chunks, least recently used first
    std::size_t m_clean_limit;      // of m_lru
    std::list<ChunkIndex> m_ghosts; // evicted, the oldest first; as many as the arena has slabs
    std::unordered_map<ChunkIndex, std::list<ChunkIndex>::iterator> m_ghost_places;
    std::vector<std::byte*> m_orphans; // slabs of dropped chunks that are still pinned
};

} // namespace ezio

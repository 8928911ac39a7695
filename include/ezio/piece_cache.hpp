// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is in memory, what is on the disk, and what to do next: the state machine of the disk engine.
// No threads, no locks, no I/O: DiskEngine calls it under its mutex and carries out the jobs it hands out.
//
// The payload is cut into chunks: a whole piece, or the aligned 1 MiB (or less) parts of a larger one. A
// chunk in memory has one slab. For each of its blocks there are these bits:
//     filling   the network thread is copying it in          present   its bytes are in the slab
//     reading   a worker is reading it in                    dirty     present, and not on the disk yet
//                                                            writing   dirty, and a worker is writing it
// and, for every chunk of the payload whether in memory or not, on_disk: the target has the block.
//
// A piece being received goes: blocks arrive (dirty) -> SHA-1 follows the contiguous prefix -> all there and
// hashed -> good: written in one job, then clean; bad: kept until it is cleared. If slabs run short before
// that, blocks of incomplete pieces are written early (flushed), those that the hash has passed first; what
// was flushed ahead of the hash is read back for it. The clean slabs are the read cache, evicted least
// recently used first.
//
// Invariants (check_invariants):
//     filling, reading and present exclude each other; writing is in dirty, dirty is in present;
//     a dirty block is not on_disk; a chunk is in the LRU list exactly when it is not filling, reading or
//     dirty; a block of a piece in progress is received exactly when it is present or on_disk;
//     slabs in use = chunks in memory + orphans (dropped while pinned).
#pragma once

#include "ezio/arena.hpp"
#include "ezio/image.hpp"
#include "ezio/sha1.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <variant>
#include <vector>

namespace ezio {

// How the payload is cut. Lengths in bytes, all powers of two; block_bytes <= chunk_length <= piece_length.
struct CacheGeometry {
    std::uint64_t payload_size;
    std::uint64_t piece_length;
    std::uint64_t chunk_length; // at most 64 blocks, so that a chunk's bits are one word

    [[nodiscard]] std::uint64_t chunk_count() const { return (payload_size + chunk_length - 1) / chunk_length; }
    [[nodiscard]] std::uint64_t chunk_size(std::uint64_t chunk) const
    {
        return std::min(chunk_length, payload_size - chunk * chunk_length);
    }
    [[nodiscard]] std::uint64_t piece_size(std::uint32_t piece) const
    {
        return std::min(piece_length, payload_size - piece * piece_length);
    }
    // One bit for each block of the chunk.
    [[nodiscard]] std::uint64_t all_blocks(std::uint64_t chunk) const
    {
        const std::uint64_t blocks = (chunk_size(chunk) + block_bytes - 1) / block_bytes;
        return blocks == 64 ? ~0ULL : (1ULL << blocks) - 1;
    }
};

// The chunk length for pieces of `piece_length` within `memory` bytes: small enough for 128 of them.
[[nodiscard]] std::uint64_t choose_chunk_length(std::uint64_t piece_length, std::uint64_t memory);

// A stretch of payload and where it is in memory; `memory` is nullptr for what must be read from the target.
struct Segment {
    std::uint64_t payload_offset;
    std::uint64_t length;
    std::byte* memory;
};

// Feed `segments` to `sha1`, in order.
struct HashJob {
    std::uint32_t piece;
    std::vector<Segment> segments;
    Sha1* sha1; // owned by the cache; used by one job at a time
    bool last;  // the piece is complete after this
};

// Write `segments`, which ascend.
struct WriteJob {
    std::vector<Segment> segments;
    std::vector<std::uint32_t> pieces; // whose blocks they are
};

// Read `segments`, all of one chunk, into their memory.
struct ReadJob {
    std::uint64_t chunk;
    std::vector<Segment> segments;
};

using CacheJob = std::variant<HashJob, WriteJob, ReadJob>;

class PieceCache {
  public:
    // Slabs held by received data at which incomplete pieces start to be flushed.
    struct Options {
        std::size_t flush_above;
    };

    PieceCache(CacheGeometry geometry, Arena& arena, Options options);

    // Declares that the target holds the piece already. Before anything else is done with it.
    void set_on_disk(std::uint32_t piece);

    // --- receiving ---

    enum class Receive { copy, duplicate, no_memory };
    struct Place {
        Receive what;
        std::byte* memory; // for Receive::copy: copy the block there, then call end_receive
    };
    // `offset` is the block's place in the payload.
    [[nodiscard]] Place begin_receive(std::uint64_t offset);
    void end_receive(std::uint64_t offset);

    // Asks for a piece to be hashed to its end. Returns false when some of it was never received.
    [[nodiscard]] bool want_hash(std::uint32_t piece);

    // Forgets the piece: its blocks, its hash, what was flushed of it. Returns false when jobs on it are
    // still out; it is then listed by take_cleared() when the last of them is done.
    [[nodiscard]] bool clear(std::uint32_t piece);
    [[nodiscard]] std::vector<std::uint32_t> take_cleared();

    // --- reading ---

    enum class Read { hit, wait, direct, missing };
    struct Found {
        Read what;
        std::byte* memory;   // hit: pinned once for the caller, who unpins it in the arena
        std::uint64_t chunk; // wait: ask again when a ReadJob on this chunk is done
    };
    // The range's place when all of it is in one slab, pinned as for Read::hit; nullptr otherwise.
    [[nodiscard]] std::byte* find_cached(std::uint64_t offset, std::uint64_t length);

    // Looks for [offset, offset + length), and has it read if need be. wait: a read of the chunk is under way or was queued. direct: not
    // to be had in one slab; use segments_of(). missing: some of it was never received.
    [[nodiscard]] Found find(std::uint64_t offset, std::uint64_t length);

    // Where the parts of a range are; the slabs of those in memory are pinned once for each segment.
    // Empty when some of it was never received.
    [[nodiscard]] std::vector<Segment> pinned_segments(std::uint64_t offset, std::uint64_t length);
    void unpin(const std::vector<Segment>& segments);

    // --- jobs ---

    // What should be done next; Writes::no when no more writers are wanted at the moment.
    enum class Writes { no, yes };
    [[nodiscard]] std::optional<CacheJob> next_job(Writes writes);

    // Tells that a job was carried out. A job that failed is never finished: its data stays as it is.
    // Verdict says whether a finished piece's hash was the expected one (job.last only).
    enum class Verdict { good, bad };
    void finish(const HashJob& job, std::optional<Verdict> verdict);
    void finish(const WriteJob& job);
    void finish(const ReadJob& job);

    // --- facts ---

    // Bytes of pieces that are verified and wholly on the target.
    [[nodiscard]] std::uint64_t done_bytes() const { return m_done_bytes; }
    // Slabs that cannot be evicted because of received data in them.
    [[nodiscard]] std::size_t held_slabs() const { return m_held; }
    [[nodiscard]] bool has_job() const;
    // Aborts the program when an invariant does not hold. Linear in what is cached.
    void check_invariants() const;

  private:
    struct Chunk {
        std::byte* slab = nullptr;
        std::uint64_t present = 0;
        std::uint64_t dirty = 0;
        std::uint64_t writing = 0;
        std::uint64_t filling = 0;
        std::uint64_t reading = 0;
        bool read_counted = false; // in Piece::jobs
        bool held = false;   // counted in m_held
        bool in_lru = false; // `lru` is valid
        std::list<std::uint64_t>::iterator lru;
    };
    enum class Phase { receiving, good, bad };
    struct Piece {
        Sha1 sha1;
        std::uint64_t hashed = 0; // bytes from the start of the piece
        std::uint32_t blocks = 0; // in the piece
        std::uint32_t received = 0;
        std::uint32_t contiguous = 0; // blocks received without a gap from the start
        std::uint32_t dirty = 0;      // blocks
        std::uint32_t jobs = 0;       // out on it
        Phase phase = Phase::receiving;
        bool hashing = false;
        bool hash_queued = false;
        bool hash_wanted = false;
        bool clearing = false;
    };

    [[nodiscard]] std::uint32_t piece_of(std::uint64_t offset) const
    {
        return static_cast<std::uint32_t>(offset / m_geometry.piece_length);
    }
    [[nodiscard]] std::uint64_t chunk_of(std::uint64_t offset) const { return offset / m_geometry.chunk_length; }
    [[nodiscard]] std::uint64_t bit_of(std::uint64_t offset) const
    {
        return 1ULL << (offset % m_geometry.chunk_length / block_bytes);
    }
    [[nodiscard]] std::uint64_t piece_start(std::uint32_t piece) const { return piece * m_geometry.piece_length; }
    [[nodiscard]] std::uint64_t contiguous_bytes(std::uint32_t index, const Piece& piece) const;
    [[nodiscard]] bool wants_flush() const { return m_held > m_held_in_jobs + m_options.flush_above; }
    // The bits of the blocks that [offset, offset + length) touches; it lies within one chunk.
    [[nodiscard]] std::uint64_t bits_of(std::uint64_t offset, std::uint64_t length) const
    {
        const std::uint64_t last = bit_of(offset + length - 1);
        return (last | (last - 1)) & ~(bit_of(offset) - 1);
    }
    [[nodiscard]] bool is_received(std::uint64_t offset) const;

    Piece& piece_at(std::uint32_t index);
    Chunk* find_chunk(std::uint64_t index);
    [[nodiscard]] const Chunk* find_chunk(std::uint64_t index) const;
    Chunk* make_chunk(std::uint64_t index, Arena::Supply supply);
    [[nodiscard]] std::byte* take_slab(Arena::Supply supply);
    [[nodiscard]] bool evict_one();
    void reclaim_orphans();
    void drop_chunk(std::uint64_t index, Chunk& chunk);
    void settle(std::uint64_t index, Chunk& chunk);
    void touch(Chunk& chunk);

    void queue_hash(std::uint32_t index, Piece& piece);
    void piece_settled(std::uint32_t index, Piece& piece);
    void wipe(std::uint32_t index);

    [[nodiscard]] std::optional<CacheJob> next_read();
    [[nodiscard]] std::optional<CacheJob> next_hash(std::set<std::uint32_t>& queue);
    [[nodiscard]] std::optional<CacheJob> next_write();
    [[nodiscard]] std::optional<CacheJob> next_flush();
    [[nodiscard]] std::vector<Segment> cached_segments(std::uint64_t from, std::uint64_t to);
    void add_dirty_segments(std::uint64_t chunk, std::uint64_t mask, WriteJob& job);
    void add_dirty_piece(std::uint32_t index, WriteJob& job);
    enum class FlushClass { none, anything, full_chunk, hashed }; // the later the better
    [[nodiscard]] FlushClass flush_class(std::uint64_t index, const Chunk& chunk) const;

    const CacheGeometry m_geometry;
    Arena& m_arena;
    const Options m_options;

    std::vector<std::uint64_t> m_on_disk; // for each chunk, a bit for each block
    std::unordered_map<std::uint64_t, Chunk> m_chunks;
    std::list<std::uint64_t> m_lru; // evictable chunks, least recently used first
    std::vector<std::byte*> m_orphans;
    std::unordered_map<std::uint32_t, Piece> m_pieces; // in progress, or verified and not yet written
    std::set<std::uint32_t> m_complete_to_hash;        // somebody waits for these
    std::set<std::uint32_t> m_prefix_to_hash;
    std::set<std::uint32_t> m_to_write; // verified
    std::uint32_t m_last_written = 0;   // the elevator's place in m_to_write
    std::list<std::uint64_t> m_to_read;
    std::vector<std::uint32_t> m_cleared;
    std::size_t m_held = 0;
    std::size_t m_held_in_jobs = 0; // of m_held, slabs whose writing has begun
    std::uint64_t m_done_bytes = 0;
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is in memory, what is on the disk, and the next job: the state machine of the disk engine.
// No threads, no locks, no I/O: DiskEngine calls it under its mutex and carries out the jobs that it returns.
//
// The life of a received piece: blocks arrive (dirty) -> SHA-1 follows the contiguous prefix -> complete and
// hashed -> good: written in one job, then clean; bad: kept until it is cleared. If slabs run short before
// that, blocks of incomplete pieces are written early (flushed), preferably blocks already hashed. Blocks
// flushed before they were hashed are read back for the hash.
//
// Invariants (check_invariants), in addition to ChunkStore's: a block of a piece in progress is received
// exactly when it is present or on_disk; a piece is listed for writing only after its hash was found good.
#pragma once

#include "ezio/engine/arena.hpp"
#include "ezio/engine/chunk_store.hpp"
#include "ezio/engine/write_order.hpp"
#include "ezio/image/sha1.hpp"

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

// A range of payload and its place in memory; `memory` is nullptr if it must be read from the target.
struct Segment {
    std::uint64_t payload_offset;
    std::uint64_t length;
    std::byte* memory;
};

// Feeds `segments` to `sha1`, in order.
struct HashJob {
    std::uint32_t piece;
    std::vector<Segment> segments;
    Sha1* sha1; // owned by the cache; used by one job at a time
    bool last;  // completes the piece
};

// Writes `segments`, in this order.
struct WriteJob {
    std::vector<Segment> segments;
    std::vector<std::uint32_t> pieces; // that the blocks belong to
};

// Reads `segments`, all of one chunk, into their memory.
struct ReadJob {
    ChunkIndex chunk;
    std::vector<Segment> segments;
};

using CacheJob = std::variant<HashJob, WriteJob, ReadJob>;

class PieceCache {
  public:
    // In slabs.
    struct Options {
        std::size_t flush_above;                     // more received data flushes incomplete pieces
        std::size_t clean_at_first = ~std::size_t{}; // the read cache's first limit; the arena's is the last
    };

    PieceCache(CacheGeometry geometry, Arena& arena, Options options, WriteOrder write_order = {});

    // Declares that the target already holds the piece. Must precede every other use of the piece.
    void set_on_disk(std::uint32_t piece);

    // Declares that the block at `offset` is only padding: treated as on the disk, even after its piece is
    // cleared. Must precede every other use of its piece, and set_on_disk.
    void set_padding(std::uint64_t offset);

    // --- receiving ---

    enum class Receive { copy, duplicate, no_memory };
    struct Place {
        Receive what;
        std::byte* memory; // for Receive::copy: copy the block there, then call end_receive
    };
    // `offset` is the block's payload offset.
    [[nodiscard]] Place begin_receive(std::uint64_t offset);
    void end_receive(std::uint64_t offset);

    // Requests the hash of a whole piece. Returns false if part of it was never received.
    [[nodiscard]] bool want_hash(std::uint32_t piece);

    // Forgets the piece: its blocks, its hash, and what was flushed of it. Returns false while jobs on it are
    // in progress; take_cleared() lists it when the last of them is done.
    [[nodiscard]] bool clear(std::uint32_t piece);
    [[nodiscard]] std::vector<std::uint32_t> take_cleared();

    // --- reading ---

    enum class Read { hit, wait, direct, missing };
    struct Found {
        Read what;
        std::byte* memory; // hit: pinned once for the caller, which unpins it in the arena
        ChunkIndex chunk;  // wait: ask again when a ReadJob on this chunk is done
    };
    // The place of the range if all of it is in one slab, pinned as for Read::hit; otherwise nullptr.
    [[nodiscard]] std::byte* find_cached(std::uint64_t offset, std::uint64_t length);

    // Looks for [offset, offset + length), and queues a read if necessary. wait: a read of the chunk is
    // queued or in progress. direct: not available in one slab; use pinned_segments(). missing: part of it
    // was never received.
    [[nodiscard]] Found find(std::uint64_t offset, std::uint64_t length);

    // The places of the parts of a range; slabs in memory are pinned once for each segment.
    // Empty if part of it was never received.
    [[nodiscard]] std::vector<Segment> pinned_segments(std::uint64_t offset, std::uint64_t length);
    void unpin(const std::vector<Segment>& segments);

    // --- jobs ---

    // The next job; Writes::no if no more writers are wanted at the moment.
    // Reads come first, because peers wait for them; then requested hashes, writes, and the hashes of
    // prefixes. But reads may never end, and received data must reach the disk all the same. So a requested
    // hash or a write follows each read when memory is short, and a run of several reads otherwise. Hashes
    // cannot starve writes, because they end when peers are held for lack of memory.
    enum class Writes { no, yes };
    [[nodiscard]] std::optional<CacheJob> next_job(Writes writes);

    // Reports that a job was carried out. A job that failed is never reported: its data stays as it is.
    // Verdict says whether the hash of a finished piece was right (job.last only).
    enum class Verdict { good, bad };
    void finish(const HashJob& job, std::optional<Verdict> verdict);
    void finish(const WriteJob& job);
    void finish(const ReadJob& job);

    // --- facts ---

    // Bytes of pieces that are verified and completely on the target.
    [[nodiscard]] std::uint64_t done_bytes() const { return m_done_bytes; }
    // Slabs that cannot be evicted because they contain received data.
    [[nodiscard]] std::size_t held_slabs() const { return m_store.held(); }
    [[nodiscard]] bool has_job() const;
    // Aborts the program when an invariant does not hold. Linear in the size of the cache.
    void check_invariants() const;

  private:
    enum class Phase { receiving, good, bad };
    struct Piece {
        Sha1 sha1;
        std::uint64_t hashed = 0; // bytes from the start of the piece
        std::uint32_t blocks = 0; // in the piece
        std::uint32_t received = 0;
        std::uint32_t contiguous = 0; // blocks received without a gap from the start
        std::uint32_t dirty = 0;      // blocks
        std::uint32_t jobs = 0;       // in progress on it
        Phase phase = Phase::receiving;
        bool hashing = false;
        bool hash_queued = false;
        bool hash_wanted = false;
        bool clearing = false;
    };

    [[nodiscard]] std::uint64_t contiguous_bytes(std::uint32_t index, const Piece& piece) const;
    [[nodiscard]] bool memory_is_short() const { return m_store.held() > m_options.flush_above; }
    [[nodiscard]] bool wants_flush() const { return m_store.held() > m_held_in_jobs + m_options.flush_above; }
    [[nodiscard]] bool is_received(std::uint64_t offset) const;

    Piece& piece_at(std::uint32_t index);
    void extend_prefix(std::uint32_t index, Piece& piece) const;
    void reopen(std::uint32_t index, Piece& piece);

    void queue_hash(std::uint32_t index, Piece& piece);
    void piece_settled(std::uint32_t index, const Piece& piece);
    void wipe(std::uint32_t index);

    void pin(const std::vector<Segment>& segments);
    [[nodiscard]] std::optional<CacheJob> next_read();
    [[nodiscard]] std::optional<CacheJob> next_to_disk(Writes writes);
    [[nodiscard]] std::optional<CacheJob> next_hash(std::set<std::uint32_t>& queue);
    [[nodiscard]] std::optional<CacheJob> next_write();
    [[nodiscard]] std::optional<CacheJob> next_flush();
    [[nodiscard]] std::vector<Segment> cached_segments(std::uint64_t from, std::uint64_t to);
    void add_dirty_segments(ChunkIndex chunk, std::uint64_t mask, WriteJob& job);
    void add_segments(ChunkIndex chunk, std::uint64_t mask, std::byte* slab,
                      std::vector<Segment>& segments) const;
    void add_dirty_piece(std::uint32_t index, WriteJob& job);
    enum class FlushClass { none, anything, full_chunk, hashed }; // later ones are better
    [[nodiscard]] FlushClass flush_class(ChunkIndex index, const Chunk& chunk) const;

    const CacheGeometry m_geometry;
    Arena& m_arena;
    const Options m_options;

    ChunkStore m_store;
    std::unordered_map<ChunkIndex, std::uint64_t> m_padding; // for chunks that have any: the blocks
    std::unordered_map<std::uint32_t, Piece> m_pieces;       // in progress, or verified and not written yet
    std::set<std::uint32_t> m_complete_to_hash;              // with a requested hash
    std::set<std::uint32_t> m_prefix_to_hash;
    WriteQueue m_to_write; // verified pieces
    std::list<ChunkIndex> m_to_read;
    std::size_t m_reads_in_a_row = 0; // since any other job
    std::vector<std::uint32_t> m_cleared;
    std::size_t m_held_in_jobs = 0; // slabs whose write has begun
    std::uint64_t m_done_bytes = 0;
};

} // namespace ezio

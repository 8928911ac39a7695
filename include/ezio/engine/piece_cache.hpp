// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is in memory, what is on the disk, and what to do next: the state machine of the disk engine.
// No threads, no locks, no I/O: DiskEngine calls it under its mutex and carries out the jobs it hands out.
//
// A piece being received goes: blocks arrive (dirty) -> SHA-1 follows the contiguous prefix -> all there and
// hashed -> good: written in one job, then clean; bad: kept until it is cleared. If slabs run short before
// that, blocks of incomplete pieces are written early (flushed), those that the hash has passed first; what
// was flushed ahead of the hash is read back for it.
//
// Invariants (check_invariants), besides ChunkStore's: a block of a piece in progress is received exactly
// when it is present or on_disk; a piece is listed to be written only after its hash was found good.
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

// Write `segments`, in this order.
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
    // In slabs.
    struct Options {
        std::size_t flush_above;                     // held by received data: incomplete pieces are flushed
        std::size_t clean_at_first = ~std::size_t{}; // the read cache's first limit; the arena's is the last
    };

    PieceCache(CacheGeometry geometry, Arena& arena, Options options, WriteOrder write_order = {});

    // Declares that the target holds the piece already. Before anything else is done with it.
    void set_on_disk(std::uint32_t piece);

    // Declares that the block at `offset` is nothing but padding: as good as on the disk, even in a piece
    // that is cleared. Before anything else is done with its piece, and before set_on_disk.
    void set_padding(std::uint64_t offset);

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

    // Looks for [offset, offset + length), and has it read if need be. wait: a read of the chunk is under way
    // or was queued. direct: not to be had in one slab; use pinned_segments(). missing: some of it was never
    // received.
    [[nodiscard]] Found find(std::uint64_t offset, std::uint64_t length);

    // Where the parts of a range are; the slabs of those in memory are pinned once for each segment.
    // Empty when some of it was never received.
    [[nodiscard]] std::vector<Segment> pinned_segments(std::uint64_t offset, std::uint64_t length);
    void unpin(const std::vector<Segment>& segments);

    // --- jobs ---

    // What should be done next; Writes::no when no more writers are wanted at the moment.
    // Reads come first, for peers wait for them; then wanted hashes, writes, and the hashes of prefixes. But
    // peers may never run out of reads, and what is received must get to the disk all the same: after each
    // read when memory is short, and after a run of them at other times, a wanted hash or a write has its
    // turn. There are only so many hashes before a write: they end when peers are held for want of memory.
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
    [[nodiscard]] std::size_t held_slabs() const { return m_store.held(); }
    [[nodiscard]] bool has_job() const;
    // Aborts the program when an invariant does not hold. Linear in what is cached.
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
        std::uint32_t jobs = 0;       // out on it
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
    void add_dirty_segments(std::uint64_t chunk, std::uint64_t mask, WriteJob& job);
    void add_segments(std::uint64_t chunk, std::uint64_t mask, std::byte* slab,
                      std::vector<Segment>& segments) const;
    void add_dirty_piece(std::uint32_t index, WriteJob& job);
    enum class FlushClass { none, anything, full_chunk, hashed }; // the later the better
    [[nodiscard]] FlushClass flush_class(std::uint64_t index, const Chunk& chunk) const;

    const CacheGeometry m_geometry;
    Arena& m_arena;
    const Options m_options;
    const WriteOrder m_write_order;

    ChunkStore m_store;
    std::unordered_map<std::uint64_t, std::uint64_t> m_padding; // of chunks that have any: the blocks
    std::unordered_map<std::uint32_t, Piece> m_pieces; // in progress, or verified and not yet written
    std::set<std::uint32_t> m_complete_to_hash;        // somebody waits for these
    std::set<std::uint32_t> m_prefix_to_hash;
    std::set<std::uint32_t> m_to_write;      // places in m_write_order of verified pieces
    std::uint32_t m_next_place_to_write = 0; // where the elevator goes on
    std::list<std::uint64_t> m_to_read;
    std::size_t m_reads_in_a_row = 0; // since anything else had its turn
    std::vector<std::uint32_t> m_cleared;
    std::size_t m_held_in_jobs = 0; // slabs whose writing has begun
    std::uint64_t m_done_bytes = 0;
};

} // namespace ezio

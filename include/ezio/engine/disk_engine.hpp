// SPDX-License-Identifier: GPL-2.0-or-later
//
// The disk engine: from blocks to the target and back.
//
//     network thread                    worker threads
//     write() --copy--> slab            SHA-1 of the prefix as it grows        (HashJob)
//     hash()  ........ waits ..........> verdict; a good piece is written       (WriteJob)
//     read()  <-pinned slice of a slab-- or a miss, read in big steps           (ReadJob)
//
// PieceCache decides, IoWorkers run, BackPressure brakes, CompletionQueue delivers the answers. This class
// connects them under one mutex, which is never held while data is read, written, hashed or copied, or during
// a callback. Every request is answered exactly once, on the network thread.
//
// The first I/O error is kept (failure()) and ends everything: nothing is written after it, and every request
// is answered with EIO. An exception on a worker does the same (no memory, or OpenSSL). The engine's owner is
// notified at once through Options::wake_owner.
#pragma once

#include "ezio/engine/arena.hpp"
#include "ezio/engine/back_pressure.hpp"
#include "ezio/engine/completion_queue.hpp"
#include "ezio/engine/io_workers.hpp"
#include "ezio/engine/piece_cache.hpp"
#include "ezio/engine/read_buffer.hpp"
#include "ezio/target/target.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/mutex.hpp"

#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace ezio {

struct PieceDigests {
    Sha1Digest sha1{};
    std::vector<Sha256Digest> blocks = {}; // of a hybrid torrent
};

class DiskEngine final : public BufferOwner {
  public:
    struct Options {
        std::uint64_t memory = 0; // bytes, divided into slabs by choose_chunk_length: at least 128
        unsigned threads = 0;
        CompletionQueue::Post post;
        // Called on a worker, without a lock: once after a failure, once when every piece is done.
        std::function<void()> wake_owner;
    };

    // Answers to requests. `error` is 0, EIO after a failure, or ECANCELED when the engine stops first.
    using Written = std::function<void(int error)>;
    using Hashed = std::function<void(int error, const PieceDigests& digests)>;
    using Cleared = std::function<void()>;
    // `data` lies in a slab or in memory of its own; it is empty after an error.
    using ReadDone = std::function<void(int error, ReadBuffer data)>;

    // `image` and `target` must outlive the engine. `on_disk` lists the pieces that the target already holds.
    // Throws std::bad_alloc, std::system_error.
    DiskEngine(const Image& image, Target& target, const std::vector<bool>& on_disk, Options options);
    ~DiskEngine();

    // --- for the network thread ---

    // Copies a block that starts at `offset` of the payload. `done` is called when the peer may continue:
    // usually at once, but later if too much data waits for the disk. The result is true in that case, and
    // `resume` is called when the wait is over.
    [[nodiscard]] bool write(std::uint64_t offset, std::span<const std::byte> block, Written done,
                             std::function<void()> resume);

    // Blocks accepted by write() so far, without those that were there already.
    [[nodiscard]] std::uint64_t blocks_taken() const { return m_blocks_taken; }

    // Both read from `offset` of the payload, best within a chunk (see choose_chunk_length). try_read returns
    // the data if it is in memory, otherwise nothing. read() never calls `done` within the call: some callers
    // hold peers that the answer may disconnect.
    [[nodiscard]] ReadBuffer try_read(std::uint64_t offset, std::uint64_t length);
    void read(std::uint64_t offset, std::uint64_t length, ReadDone done);

    // For a ReadBuffer that was released into an interface of C. Any thread.
    void free_buffer(std::byte* data) override;

    // To be called after the last block of the piece was given to write().
    void hash(std::uint32_t piece, Hashed done);

    // Forgets a piece that failed its hash. `done` is called after the answers to all its writes.
    void clear(std::uint32_t piece, Cleared done);

    // Cancels work that has not begun, and answers everything. `when_stopped` runs on the last worker to end.
    // Does not wait.
    void stop(std::function<void()> when_stopped);

    // Posts `completion` after all answers given so far.
    void answer(Completion completion);

    // --- for any thread ---

    // Declares that the target already holds the piece, of which nothing was written before. A receiver that
    // does not know this may still be given the piece: write() ignores its blocks as duplicates, and the next
    // hash() is answered with the image's hash, because the caller has compared it.
    void keep(std::uint32_t piece);

    struct Facts {
        std::uint64_t done_bytes = 0;    // of pieces that are verified and written
        std::uint64_t written_bytes = 0; // in write calls that succeeded
        std::uint64_t read_bytes = 0;    // from read calls
        std::uint64_t held_bytes = 0;    // received and not written yet, in whole slabs
        std::uint64_t right_pieces = 0;  // with a right hash, written or not
        std::uint64_t failed_pieces = 0; // with a wrong hash
        std::uint64_t holds = 0;         // times that peers had to wait for the target
        unsigned writers = 0;            // write calls in progress
        bool hashes_disagree = false;    // a piece is right for v1 and wrong for v2, or vice versa
    };
    [[nodiscard]] Facts facts() const;
    [[nodiscard]] std::optional<IoFailure> failure() const;
    [[nodiscard]] bool has_failed() const;

    // Throws Error for an I/O error, and rethrows an exception of a worker.
    void throw_if_failed() const;

  private:
    struct Waiter {
        std::uint64_t offset;
        std::uint64_t length;
        ReadDone done;
    };
    struct Held {
        Written done;
        std::function<void()> resume;
    };
    // A read that no single slab can answer: assembled from several places in memory of its own.
    struct GatherJob {
        std::vector<Segment> segments;
        std::unique_ptr<std::byte[]> memory;
        ReadDone done;
    };
    using Job = std::variant<GatherJob, HashJob, WriteJob, ReadJob>;

    [[nodiscard]] std::optional<Job> next_job() REQUIRES(m_mutex);
    [[nodiscard]] bool has_job() const REQUIRES(m_mutex) { return m_cache.has_job() || !m_gathers.empty(); }
    [[nodiscard]] bool step() REQUIRES(m_mutex);
    [[nodiscard]] bool try_step() REQUIRES(m_mutex);
    [[nodiscard]] bool work(Job& job, Completions& ready) REQUIRES(m_mutex);
    [[nodiscard]] bool give_up(std::optional<Job>& job, Completions& ready) REQUIRES(m_mutex);
    template <typename Work> // `Work` runs without the mutex
    auto unlocked(Work work) REQUIRES(m_mutex)
    {
        const MutexUnlock unlock(m_mutex);
        return work();
    }
    [[nodiscard]] std::optional<IoFailure> run(GatherJob& job, Completions& ready) REQUIRES(m_mutex);
    [[nodiscard]] std::optional<IoFailure> run(HashJob& job, Completions& ready) REQUIRES(m_mutex);
    [[nodiscard]] std::optional<IoFailure> run(WriteJob& job, Completions& ready) REQUIRES(m_mutex);
    [[nodiscard]] std::optional<IoFailure> run(ReadJob& job, Completions& ready) REQUIRES(m_mutex);
    [[nodiscard]] std::optional<IoFailure> hash_v2(std::uint32_t piece, std::vector<Sha256Digest>& blocks)
        REQUIRES(m_mutex);
    [[nodiscard]] bool judge(std::uint32_t piece, PieceDigests& digests) REQUIRES(m_mutex);
    void add_padding(std::vector<bool>& pieces) REQUIRES(m_mutex);

    [[nodiscard]] bool failed() const REQUIRES(m_mutex) { return m_failure || m_thrown; }
    [[nodiscard]] int refusal() const REQUIRES(m_mutex);
    [[nodiscard]] bool reads_copy() const REQUIRES(m_mutex);
    void find(Waiter waiter, Completions& ready) REQUIRES(m_mutex);
    [[nodiscard]] ReadBuffer lend(std::byte* data) { return ReadBuffer(data, {this}); }
    void release_held(Completions& ready, int error) REQUIRES(m_mutex);
    void answer_hashes(std::uint32_t piece, Completions& ready, int error, const PieceDigests& digests)
        REQUIRES(m_mutex);
    void answer_all(Completions& ready, int error) REQUIRES(m_mutex);
    void after_change(Completions& ready) REQUIRES(m_mutex);
    void hand_over(Completions& ready) REQUIRES(m_mutex);
    [[nodiscard]] bool just_all_done() REQUIRES(m_mutex);

    const Image& m_image;
    Target& m_target;
    const std::function<void()> m_wake_owner;
    const unsigned m_max_writers;
    CompletionQueue m_completions;    // synchronises itself
    std::uint64_t m_blocks_taken = 0; // network thread only

    mutable Mutex m_mutex;
    Arena m_arena; // its pins synchronise themselves; the slabs are handed out under the mutex
    PieceCache m_cache GUARDED_BY(m_mutex);
    BackPressure m_pressure GUARDED_BY(m_mutex);
    std::vector<Held> m_held GUARDED_BY(m_mutex);
    std::unordered_map<ChunkIndex, std::vector<Waiter>> m_waiting_reads GUARDED_BY(m_mutex); // by chunk
    std::unordered_multimap<std::uint32_t, Hashed> m_waiting_hashes GUARDED_BY(m_mutex);     // by piece
    std::unordered_map<std::uint32_t, std::vector<Cleared>> m_waiting_clears GUARDED_BY(m_mutex);
    std::set<std::uint32_t> m_kept GUARDED_BY(m_mutex); // and whose hash was not requested yet
    std::deque<GatherJob> m_gathers GUARDED_BY(m_mutex);
    bool m_cache_is_next GUARDED_BY(m_mutex) = false; // after a gather
    std::optional<IoFailure> m_failure GUARDED_BY(m_mutex);
    std::exception_ptr m_thrown GUARDED_BY(m_mutex); // from a worker, if it was the first failure
    Facts m_facts GUARDED_BY(m_mutex);
    unsigned m_writers GUARDED_BY(m_mutex) = 0;
    bool m_stopped GUARDED_BY(m_mutex) = false;
    bool m_all_done GUARDED_BY(m_mutex) = false;

    IoWorkers m_workers; // last, because its threads use the other members
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Hashes the pieces on a target with several threads. Each thread takes the next piece, or the next two where
// that makes SHA-1 faster, so the device is read in the payload's order. A rotating disk is read in its own
// order, and best by one thread. Runs in the background; the owner polls the progress.
#pragma once

#include "ezio/image/image.hpp"
#include "ezio/image/sha1.hpp"
#include "ezio/target/target.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/mutex.hpp"
#include "ezio/util/wakeup.hpp"

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace ezio {

class PieceScan {
  public:
    // Starts the scan. `map` and `target` must outlive it; `wakeup` is notified at the end. The payload of
    // `map` is split into pieces of `piece_length` bytes. With `v2_pieces`, those of a hybrid torrent, their
    // roots are computed, too. Throws Error when a thread cannot be started.
    PieceScan(const ExtentMap& map, std::uint64_t piece_length, Target& target, unsigned threads,
              Wakeup& wakeup, std::span<const V2Piece> v2_pieces = {});

    // Abandons unfinished work.
    ~PieceScan();

    [[nodiscard]] std::uint64_t bytes_done() const { return m_bytes_done.load(std::memory_order_relaxed); }
    [[nodiscard]] bool finished() const { return m_running.load() == 0; }

    // The first error, if any. Only when finished. Rethrows an exception of a thread.
    [[nodiscard]] std::optional<IoFailure> failure() const;

    // The pieces hashed since the last call, whose digests are valid; in no particular order.
    [[nodiscard]] std::vector<std::uint32_t> take_hashed();

    // One for each piece. Valid when finished without a failure, and for pieces returned by take_hashed().
    [[nodiscard]] const std::vector<Sha1Digest>& digests() const { return m_digests; }
    [[nodiscard]] const std::vector<Sha256Digest>& v2_roots() const { return m_v2_roots; } // for v2_pieces

  private:
    void run();
    void hash_all();
    void end_threads();
    void fail(std::optional<IoFailure> failure, std::exception_ptr thrown);
    void prefetch(std::uint64_t at, std::uint64_t end);
    [[nodiscard]] std::optional<IoFailure> hash_pieces(std::uint32_t first, std::uint32_t count,
                                                       std::span<std::byte> buffer);
    [[nodiscard]] std::optional<IoFailure> read_step_of(std::uint32_t piece, std::uint64_t done,
                                                        std::span<std::byte>& part);

    const ExtentMap& m_map;
    const PieceLayout m_layout;
    Target& m_target;
    Wakeup& m_wakeup;
    const std::span<const V2Piece> m_v2_pieces;
    std::vector<Sha1Digest> m_digests;    // each written by one thread, read once it is in m_hashed
    std::vector<Sha256Digest> m_v2_roots; // likewise
    const std::uint32_t m_pieces_at_once; // for each thread
    std::vector<std::uint32_t> m_order;   // of the pieces; empty: by number
    std::atomic<std::uint32_t> m_next = 0;
    std::atomic<std::uint64_t> m_bytes_done = 0;
    std::atomic<unsigned> m_running;
    std::atomic<bool> m_cancelled = false;
    mutable Mutex m_mutex;
    std::optional<IoFailure> m_failure GUARDED_BY(m_mutex);
    std::exception_ptr m_thrown GUARDED_BY(m_mutex);
    std::vector<std::uint32_t> m_hashed GUARDED_BY(m_mutex);
    std::vector<std::thread> m_threads; // constant after construction
};

// One per processor; on a rotating disk only one, so that the disk's head does not move to and fro.
[[nodiscard]] unsigned scan_threads(const Target& target);

// The pieces in the order in which they begin on the device; empty if that is the payload's order.
[[nodiscard]] std::vector<std::uint32_t> device_order(const ExtentMap& map, std::uint64_t piece_length);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/piece_scan.hpp"

#include "ezio/units.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace ezio {

namespace {

// Read into a buffer that stays in the processor's nearest caches: on cached data, 64 KiB at a time reached
// 0.88 of what OpenSSL's SHA-1 alone does, 1 MiB at a time 0.82 (2 threads, AMD EPYC).
constexpr std::uint64_t read_step = 64_KiB;

// The disk is asked for this much at a time, one step ahead of the hash.
constexpr std::uint64_t prefetch_step = 1_MiB;

} // namespace

unsigned scan_threads()
{
    return std::max(1U, std::thread::hardware_concurrency());
}

PieceScan::PieceScan(const ExtentMap& map, std::uint64_t piece_length, Target& target, unsigned threads,
                     Wakeup& wakeup)
    : m_map(map), m_piece_length(piece_length), m_target(target), m_wakeup(wakeup),
      m_digests((map.payload_size() + piece_length - 1) / piece_length), m_running(threads)
{
    for (unsigned i = 0; i < threads; ++i) {
        m_threads.emplace_back([this] { run(); });
    }
}

PieceScan::~PieceScan()
{
    m_cancelled = true;
    for (std::thread& thread : m_threads) {
        thread.join();
    }
}

std::optional<IoFailure> PieceScan::failure() const
{
    const std::lock_guard lock(m_mutex);
    return m_failure;
}

void PieceScan::run()
{
    std::vector<std::byte> buffer(std::min(read_step, m_piece_length));
    while (!m_cancelled) {
        const std::uint32_t piece = m_next.fetch_add(1);
        if (piece >= m_digests.size()) {
            break;
        }
        if (auto failed = hash_piece(piece, buffer)) {
            const std::lock_guard lock(m_mutex);
            if (!m_failure) {
                m_failure = std::move(failed);
            }
            m_cancelled = true;
        }
    }
    if (m_running.fetch_sub(1) == 1) {
        m_wakeup.notify();
    }
}

std::optional<IoFailure> PieceScan::hash_piece(std::uint32_t piece, std::vector<std::byte>& buffer)
{
    Sha1 sha1;
    const std::uint64_t start = piece * m_piece_length;
    const std::uint64_t end = std::min(start + m_piece_length, m_map.payload_size());
    prefetch(start, end);
    for (std::uint64_t at = start; at < end && !m_cancelled; at += buffer.size()) {
        if ((at - start) % prefetch_step == 0) {
            prefetch(at + prefetch_step, end);
        }
        const std::uint64_t step = std::min<std::uint64_t>(end - at, buffer.size());
        std::size_t filled = 0;
        for (const auto& range : m_map.ranges(at, step)) {
            if (auto failed = m_target.read_at(range.device_offset, std::span(buffer).subspan(filled, range.length))) {
                return failed;
            }
            filled += range.length;
        }
        sha1.update(std::span(buffer).first(step));
        m_bytes_done.fetch_add(step, std::memory_order_relaxed);
    }
    m_digests[piece] = sha1.finish();
    return std::nullopt;
}

// Up to one step, from `at` on.
void PieceScan::prefetch(std::uint64_t at, std::uint64_t end)
{
    if (at < end) {
        m_map.for_each(at, std::min(prefetch_step, end - at), [&](const ExtentMap::Range& range) {
            m_target.prefetch(range.device_offset, range.length);
        });
    }
}

} // namespace ezio

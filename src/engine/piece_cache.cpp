// SPDX-License-Identifier: GPL-2.0-or-later
//
// A single state machine, and therefore a single long file: every function here reads or changes the same few
// fields of Piece, whose invariants are checked at its end. Functions that need only chunks are in
// ChunkStore.
#include "ezio/engine/piece_cache.hpp"

#include "ezio/util/require.hpp"
#include "ezio/util/units.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

namespace ezio {

namespace {

// The hash follows the received prefix in steps of at least this size: a job costs two lock round trips and a
// wake-up, about 5 us, in which SHA-1 at 1.9 GB/s hashes 10 KiB.
constexpr std::uint64_t hash_step = 256_KiB;

// A write job combines adjacent verified pieces up to this size: larger write calls are no cheaper.
constexpr std::uint64_t write_step = 4_MiB;

// With memory to spare, a requested hash or a write waits for this many reads. Not tuned: few enough that the
// last pieces of an image do not wait until the peers are served, and that peers hardly notice the disk's
// share.
constexpr std::size_t longest_run_of_reads = 16;

std::uint32_t count_bits(std::uint64_t mask)
{
    return static_cast<std::uint32_t>(std::popcount(mask));
}

} // namespace

PieceCache::PieceCache(CacheGeometry geometry, Arena& arena, Options options, WriteOrder write_order)
    : m_geometry(geometry), m_arena(arena), m_options(options),
      m_store(geometry, arena, options.clean_at_first), m_to_write(std::move(write_order))
{}

void PieceCache::set_on_disk(std::uint32_t piece)
{
    for (const ChunkIndex chunk : m_geometry.chunks_of(piece)) {
        m_store.on_disk(chunk) = m_geometry.all_blocks(chunk);
    }
    m_done_bytes += m_geometry.piece_size(piece);
}

void PieceCache::set_padding(std::uint64_t offset)
{
    const ChunkIndex chunk = m_geometry.chunk_of(offset);
    m_padding[chunk] |= m_geometry.bit_of(offset);
    m_store.on_disk(chunk) |= m_geometry.bit_of(offset);
}

// --- receiving ---

PieceCache::Place PieceCache::begin_receive(std::uint64_t offset)
{
    const ChunkIndex index = m_geometry.chunk_of(offset);
    const std::uint64_t bit = m_geometry.bit_of(offset);
    if (is_received(offset) || piece_at(m_geometry.piece_of(offset)).clearing) { // clear() would forget it
        return {Receive::duplicate, nullptr};
    }
    Chunk* chunk = m_store.make(index, Arena::Supply::overflow);
    if (chunk == nullptr) {
        return {Receive::no_memory, nullptr};
    }
    if ((chunk->filling & bit) != 0) {
        return {Receive::duplicate, nullptr};
    }
    chunk->filling |= bit;
    m_store.settle(index, *chunk);
    return {Receive::copy, chunk->slab + offset % m_geometry.chunk_length};
}

void PieceCache::end_receive(std::uint64_t offset)
{
    const std::uint64_t bit = m_geometry.bit_of(offset);
    Chunk& chunk = *m_store.find(m_geometry.chunk_of(offset));
    assert(chunk.filling & bit);
    chunk.filling &= ~bit;
    chunk.present |= bit;
    chunk.dirty |= bit;

    const std::uint32_t index = m_geometry.piece_of(offset);
    Piece& piece = piece_at(index);
    ++piece.received;
    ++piece.dirty;
    extend_prefix(index, piece);
    queue_hash(index, piece);
}

bool PieceCache::want_hash(std::uint32_t index)
{
    Piece& piece = piece_at(index);
    if (piece.contiguous < piece.blocks || piece.clearing) {
        return false;
    }
    if (piece.phase != Phase::receiving) { // again, from the start
        piece.phase = Phase::receiving;
        piece.hashed = 0;
        m_to_write.erase(index);
    }
    piece.hash_wanted = true;
    m_prefix_to_hash.erase(index);
    piece.hash_queued = false;
    queue_hash(index, piece);
    return true;
}

bool PieceCache::clear(std::uint32_t index)
{
    const auto found = m_pieces.find(index);
    if (found == m_pieces.end()) {
        return true;
    }
    Piece& piece = found->second;
    piece.clearing = true;
    piece.hash_queued = false;
    m_complete_to_hash.erase(index);
    m_prefix_to_hash.erase(index);
    m_to_write.erase(index);
    if (piece.jobs > 0) {
        return false;
    }
    wipe(index);
    return true;
}

std::vector<std::uint32_t> PieceCache::take_cleared()
{
    return std::exchange(m_cleared, {});
}

void PieceCache::wipe(std::uint32_t index)
{
    for (const ChunkIndex chunk_index : m_geometry.chunks_of(index)) {
        const auto padding = m_padding.find(chunk_index);
        m_store.on_disk(chunk_index) = padding == m_padding.end() ? 0 : padding->second;
        if (Chunk* chunk = m_store.find(chunk_index)) {
            chunk->present = chunk->dirty = 0;
            m_store.settle(chunk_index, *chunk);
        }
    }
    m_pieces.erase(index);
}

// --- reading ---

std::byte* PieceCache::find_cached(std::uint64_t offset, std::uint64_t length)
{
    Chunk* chunk = m_store.find(m_geometry.chunk_of(offset));
    const bool in_one = m_geometry.chunk_of(offset) == m_geometry.chunk_of(offset + length - 1);
    if (chunk == nullptr || !in_one || (m_geometry.bits_of(offset, length) & ~chunk->present) != 0) {
        return nullptr;
    }
    std::byte* memory = chunk->slab + offset % m_geometry.chunk_length;
    m_arena.pin(memory);
    m_store.touch(*chunk);
    return memory;
}

PieceCache::Found PieceCache::find(std::uint64_t offset, std::uint64_t length)
{
    const ChunkIndex index = m_geometry.chunk_of(offset);
    if (std::byte* memory = find_cached(offset, length)) {
        return {Read::hit, memory, index};
    }
    if (index != m_geometry.chunk_of(offset + length - 1)) {
        return {Read::direct, nullptr, index};
    }
    const std::uint64_t wanted = m_geometry.bits_of(offset, length);
    Chunk* chunk = m_store.find(index);
    const std::uint64_t in_memory = chunk != nullptr ? chunk->present : 0;
    if ((wanted & ~in_memory & ~m_store.on_disk(index)) != 0) {
        return {Read::missing, nullptr, index};
    }
    if (chunk != nullptr && chunk->reading != 0) {
        return {Read::wait, nullptr, index};
    }
    m_store.learn_from_miss(index);
    chunk = m_store.make(index, Arena::Supply::normal);
    if (chunk == nullptr) {
        return {Read::direct, nullptr, index};
    }
    chunk->reading = m_store.on_disk(index) & ~chunk->present;
    if (const auto piece = m_pieces.find(m_geometry.piece_of(offset)); piece != m_pieces.end()) {
        ++piece->second.jobs;
        chunk->read_counted = true;
    }
    m_store.settle(index, *chunk);
    m_to_read.push_back(index);
    return {Read::wait, nullptr, index};
}

std::vector<Segment> PieceCache::cached_segments(std::uint64_t from, std::uint64_t to)
{
    std::vector<Segment> segments;
    while (from < to) {
        const ChunkIndex index = m_geometry.chunk_of(from);
        const std::uint64_t block_end = std::min(to, (from / block_bytes + 1) * block_bytes);
        const Chunk* chunk = m_store.find(index);
        std::byte* memory = nullptr;
        if (chunk != nullptr && (chunk->present & m_geometry.bit_of(from)) != 0) {
            memory = chunk->slab + from % m_geometry.chunk_length;
        } else if ((m_store.on_disk(index) & m_geometry.bit_of(from)) == 0) {
            return {};
        }
        const bool grows = !segments.empty() &&
                           m_geometry.chunk_of(segments.back().payload_offset) == index &&
                           (segments.back().memory == nullptr) == (memory == nullptr);
        if (grows) {
            segments.back().length += block_end - from;
        } else {
            segments.push_back({from, block_end - from, memory});
        }
        from = block_end;
    }
    return segments;
}

std::vector<Segment> PieceCache::pinned_segments(std::uint64_t offset, std::uint64_t length)
{
    auto segments = cached_segments(offset, offset + length);
    pin(segments);
    return segments;
}

void PieceCache::pin(const std::vector<Segment>& segments)
{
    for (const Segment& segment : segments) {
        if (segment.memory != nullptr) {
            m_arena.pin(segment.memory);
        }
    }
}

void PieceCache::unpin(const std::vector<Segment>& segments)
{
    for (const Segment& segment : segments) {
        if (segment.memory != nullptr) {
            m_arena.unpin(segment.memory);
        }
    }
}

// --- jobs ---

bool PieceCache::has_job() const
{
    return !m_to_read.empty() || !m_complete_to_hash.empty() || !m_to_write.empty() || wants_flush() ||
           !m_prefix_to_hash.empty();
}

std::optional<CacheJob> PieceCache::next_job(Writes writes)
{
    const bool reads_wait = m_reads_in_a_row >= (memory_is_short() ? 1 : longest_run_of_reads);
    auto job = reads_wait ? next_to_disk(writes) : next_read();
    if (!job) {
        job = reads_wait ? next_read() : next_to_disk(writes);
    }
    return job ? std::move(job) : next_hash(m_prefix_to_hash);
}

// A request for the hash of a piece waits for the hash; writes free memory.
std::optional<CacheJob> PieceCache::next_to_disk(Writes writes)
{
    auto job = next_hash(m_complete_to_hash);
    if (!job && writes == Writes::yes) {
        job = next_write();
    }
    if (!job && writes == Writes::yes) {
        job = next_flush();
    }
    m_reads_in_a_row = job ? 0 : m_reads_in_a_row;
    return job;
}

std::optional<CacheJob> PieceCache::next_read()
{
    if (m_to_read.empty()) {
        return std::nullopt;
    }
    ReadJob job{m_to_read.front(), {}};
    m_to_read.pop_front();
    ++m_reads_in_a_row;
    const Chunk& chunk = *m_store.find(job.chunk);
    add_segments(job.chunk, chunk.reading, chunk.slab, job.segments);
    return job;
}

std::optional<CacheJob> PieceCache::next_hash(std::set<std::uint32_t>& queue)
{
    if (queue.empty()) {
        return std::nullopt;
    }
    const std::uint32_t index = *queue.begin();
    queue.erase(queue.begin());
    Piece& piece = piece_at(index);
    const std::uint64_t from = m_geometry.piece_offset(index) + piece.hashed;
    HashJob job{index, cached_segments(from, m_geometry.piece_offset(index) + contiguous_bytes(index, piece)),
                &piece.sha1, piece.hash_wanted};
    if (!job.last) { // reading back can wait until the piece is complete: more may be flushed before
        const auto flushed = std::find_if(job.segments.begin(), job.segments.end(),
                                          [](const Segment& segment) { return segment.memory == nullptr; });
        job.segments.erase(flushed, job.segments.end());
    }
    pin(job.segments);
    piece.hash_queued = false;
    piece.hashing = true;
    ++piece.jobs;
    return job;
}

std::optional<CacheJob> PieceCache::next_write()
{
    if (m_to_write.empty()) {
        return std::nullopt;
    }
    WriteJob job;
    std::uint64_t bytes = 0;
    do {
        const std::uint32_t piece = m_to_write.take();
        add_dirty_piece(piece, job);
        bytes += m_geometry.piece_size(piece);
    } while (bytes < write_step && m_to_write.next_is_adjacent());
    return job;
}

void PieceCache::add_dirty_piece(std::uint32_t index, WriteJob& job)
{
    for (const ChunkIndex chunk_index : m_geometry.chunks_of(index)) {
        if (const Chunk* chunk = m_store.find(chunk_index)) {
            add_dirty_segments(chunk_index, chunk->dirty & ~chunk->writing, job);
        }
    }
    ++piece_at(index).jobs;
    job.pieces.push_back(index);
}

void PieceCache::add_dirty_segments(ChunkIndex index, std::uint64_t mask, WriteJob& job)
{
    Chunk& chunk = *m_store.find(index);
    if (mask != 0 && chunk.writing == 0) {
        ++m_held_in_jobs;
    }
    chunk.writing |= mask;
    add_segments(index, mask, chunk.slab, job.segments);
}

// The chunk's blocks in `mask`, adjacent ones joined.
void PieceCache::add_segments(ChunkIndex index, std::uint64_t mask, std::byte* slab,
                              std::vector<Segment>& segments) const
{
    while (mask != 0) {
        const int first = std::countr_zero(mask);
        const int blocks = std::countr_one(mask >> first);
        const std::uint64_t at = static_cast<std::uint64_t>(first) * block_bytes;
        const std::uint64_t end =
            std::min(at + static_cast<std::uint64_t>(blocks) * block_bytes, m_geometry.chunk_size(index));
        segments.push_back({m_geometry.chunk_offset(index) + at, end - at, slab + at});
        mask = first + blocks == 64 ? 0 : mask >> (first + blocks) << (first + blocks);
    }
}

PieceCache::FlushClass PieceCache::flush_class(ChunkIndex index, const Chunk& chunk) const
{
    if ((chunk.dirty & ~chunk.writing) == 0) {
        return FlushClass::none;
    }
    const std::uint64_t start = m_geometry.chunk_offset(index);
    const std::uint32_t piece_index = m_geometry.piece_of(index);
    const Piece& piece = m_pieces.at(piece_index);
    if (piece.phase != Phase::receiving || piece.clearing || piece.hash_wanted) { // soon settled without this
        return FlushClass::none;
    }
    if (m_geometry.piece_offset(piece_index) + piece.hashed >= start + m_geometry.chunk_size(index)) {
        return FlushClass::hashed;
    }
    const bool full = (chunk.present | m_store.on_disk(index)) == m_geometry.all_blocks(index);
    return full ? FlushClass::full_chunk : FlushClass::anything;
}

std::optional<CacheJob> PieceCache::next_flush()
{
    if (!wants_flush()) {
        return std::nullopt;
    }
    FlushClass best = FlushClass::none;
    std::uint32_t most = 0;
    ChunkIndex victim{};
    for (const auto& [index, chunk] : m_store.chunks()) {
        const FlushClass found = flush_class(index, chunk);
        const std::uint32_t blocks = count_bits(chunk.dirty & ~chunk.writing);
        if (found > best || (found == best && blocks > most)) {
            best = found;
            most = blocks;
            victim = index;
        }
    }
    if (best == FlushClass::none) {
        return std::nullopt;
    }
    // Together with its neighbours of the same piece in the same class: one write instead of several.
    const std::uint32_t piece = m_geometry.piece_of(victim);
    const auto joins = [&](ChunkIndex index) {
        const Chunk* chunk = m_geometry.piece_of(index) == piece ? m_store.find(index) : nullptr;
        return chunk != nullptr && flush_class(index, *chunk) >= best;
    };
    while (number(victim) > 0 && joins(ChunkIndex{number(victim) - 1})) {
        --victim;
    }
    WriteJob job;
    for (ChunkIndex index = victim; index == victim || joins(index); ++index) {
        const Chunk& chunk = *m_store.find(index);
        add_dirty_segments(index, chunk.dirty & ~chunk.writing, job);
    }
    ++piece_at(piece).jobs;
    job.pieces.push_back(piece);
    return job;
}

void PieceCache::finish(const HashJob& job, std::optional<Verdict> verdict)
{
    unpin(job.segments);
    Piece& piece = piece_at(job.piece);
    piece.hashing = false;
    --piece.jobs;
    for (const Segment& segment : job.segments) {
        piece.hashed += segment.length;
    }
    if (job.last && !piece.clearing) {
        piece.hash_wanted = false;
        piece.phase = verdict == Verdict::good ? Phase::good : Phase::bad;
        if (piece.phase == Phase::good && piece.dirty > 0) {
            m_to_write.insert(job.piece);
        }
    }
    queue_hash(job.piece, piece);
    piece_settled(job.piece, piece);
}

void PieceCache::finish(const WriteJob& job)
{
    for (const Segment& segment : job.segments) {
        const ChunkIndex index = m_geometry.chunk_of(segment.payload_offset);
        const std::uint64_t mask = m_geometry.bits_of(segment.payload_offset, segment.length);
        Chunk& chunk = *m_store.find(index);
        assert((chunk.writing & mask) == mask);
        chunk.writing &= ~mask;
        chunk.dirty &= ~mask;
        m_store.on_disk(index) |= mask;
        piece_at(m_geometry.piece_of(segment.payload_offset)).dirty -= count_bits(mask);
        if (chunk.writing == 0) {
            --m_held_in_jobs;
        }
        m_store.settle(index, chunk);
    }
    for (const std::uint32_t index : job.pieces) {
        Piece& piece = piece_at(index);
        --piece.jobs;
        piece_settled(index, piece);
    }
}

void PieceCache::finish(const ReadJob& job)
{
    Chunk& chunk = *m_store.find(job.chunk);
    chunk.present |= chunk.reading;
    chunk.reading = 0;
    const bool counted = std::exchange(chunk.read_counted, false);
    m_store.settle(job.chunk, chunk);
    if (counted) {
        const std::uint32_t index = m_geometry.piece_of(job.chunk);
        Piece& piece = piece_at(index);
        --piece.jobs;
        piece_settled(index, piece);
    }
}

// --- inside ---

std::uint64_t PieceCache::contiguous_bytes(std::uint32_t index, const Piece& piece) const
{
    return std::min<std::uint64_t>(std::uint64_t{piece.contiguous} * block_bytes,
                                   m_geometry.piece_size(index));
}

bool PieceCache::is_received(std::uint64_t offset) const
{
    return (m_store.received(m_geometry.chunk_of(offset)) & m_geometry.bit_of(offset)) != 0;
}

PieceCache::Piece& PieceCache::piece_at(std::uint32_t index)
{
    const auto [found, is_new] = m_pieces.try_emplace(index);
    Piece& piece = found->second;
    if (is_new) {
        piece.blocks = static_cast<std::uint32_t>(blocks_in(m_geometry.piece_size(index)));
        extend_prefix(index, piece);
        for (std::uint32_t block = 0; block < piece.blocks; ++block) { // padding may be there before the rest
            piece.received +=
                is_received(m_geometry.piece_offset(index) + std::uint64_t{block} * block_bytes) ? 1 : 0;
        }
        if (piece.contiguous == piece.blocks) {
            reopen(index, piece);
        }
    }
    return piece;
}

void PieceCache::extend_prefix(std::uint32_t index, Piece& piece) const
{
    while (piece.contiguous < piece.blocks &&
           is_received(m_geometry.piece_offset(index) + std::uint64_t{piece.contiguous} * block_bytes)) {
        ++piece.contiguous;
    }
}

// The hash of a piece that is on the disk is requested again: until it is found good, the piece is not done.
void PieceCache::reopen(std::uint32_t index, Piece& piece)
{
    m_done_bytes -= m_geometry.piece_size(index);
    for (const ChunkIndex chunk_index : m_geometry.chunks_of(index)) {
        Chunk* chunk = m_store.find(chunk_index);
        if (chunk != nullptr && chunk->reading != 0) {
            ++piece.jobs;
            chunk->read_counted = true;
        }
    }
}

void PieceCache::queue_hash(std::uint32_t index, Piece& piece)
{
    if (piece.hashing || piece.hash_queued || piece.clearing || piece.phase != Phase::receiving) {
        return;
    }
    if (piece.hash_wanted) {
        m_complete_to_hash.insert(index);
        piece.hash_queued = true;
        return;
    }
    const std::uint64_t at = m_geometry.piece_offset(index) + piece.hashed;
    const Chunk* next =
        piece.hashed < m_geometry.piece_size(index) ? m_store.find(m_geometry.chunk_of(at)) : nullptr;
    const bool in_memory = next != nullptr && (next->present & m_geometry.bit_of(at)) != 0;
    if (in_memory && contiguous_bytes(index, piece) - piece.hashed >= hash_step) {
        m_prefix_to_hash.insert(index);
        piece.hash_queued = true;
    }
}

// Ends the wait for the last job on the piece.
void PieceCache::piece_settled(std::uint32_t index, const Piece& piece)
{
    if (piece.jobs > 0) {
        return;
    }
    if (piece.clearing) {
        wipe(index);
        m_cleared.push_back(index);
    } else if (piece.phase == Phase::good && piece.dirty == 0) {
        m_done_bytes += m_geometry.piece_size(index);
        m_to_write.erase(index); // a flush may have written its last block
        m_pieces.erase(index);
    }
}

void PieceCache::check_invariants() const
{
    m_store.check_invariants();
    std::size_t in_jobs = 0;
    for (const auto& [index, chunk] : m_store.chunks()) {
        in_jobs += chunk.writing != 0 ? 1 : 0;
    }
    require(in_jobs == m_held_in_jobs && in_jobs <= m_store.held());
    for (const auto& [index, piece] : m_pieces) {
        std::uint32_t received = 0;
        std::uint32_t dirty = 0;
        for (const ChunkIndex chunk_index : m_geometry.chunks_of(index)) {
            const Chunk* chunk = m_store.find(chunk_index);
            received += count_bits(m_store.received(chunk_index));
            dirty += chunk != nullptr ? count_bits(chunk->dirty) : 0;
        }
        require(received == piece.received && dirty == piece.dirty && piece.contiguous <= received);
    }
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/engine/chunk_store.hpp"

#include "ezio/util/require.hpp"
#include "ezio/util/units.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace ezio {

std::uint64_t choose_chunk_length(std::uint64_t piece_length, std::uint64_t memory)
{
    const std::uint64_t share = std::bit_floor(std::max<std::uint64_t>(memory / 128, block_bytes));
    return std::min({piece_length, share, std::uint64_t{1_MiB}});
}

ChunkStore::ChunkStore(CacheGeometry geometry, Arena& arena, std::size_t clean_at_first)
    : m_geometry(geometry), m_arena(arena), m_on_disk(geometry.chunk_count()),
      m_clean_limit(std::min(clean_at_first, arena.limit()))
{
    assert(m_geometry.chunk_length <= std::uint64_t{64} * block_bytes &&
           m_arena.slab_bytes() == m_geometry.chunk_length);
}

Chunk* ChunkStore::find(ChunkIndex index)
{
    const auto found = m_chunks.find(index);
    return found == m_chunks.end() ? nullptr : &found->second;
}

const Chunk* ChunkStore::find(ChunkIndex index) const
{
    const auto found = m_chunks.find(index);
    return found == m_chunks.end() ? nullptr : &found->second;
}

std::uint64_t ChunkStore::received(ChunkIndex index) const
{
    const Chunk* chunk = find(index);
    return m_on_disk[number(index)] | (chunk != nullptr ? chunk->present : 0);
}

Chunk* ChunkStore::make(ChunkIndex index, Arena::Supply supply)
{
    if (Chunk* chunk = find(index)) {
        return chunk;
    }
    std::byte* slab = take_slab(supply);
    if (slab == nullptr) {
        return nullptr;
    }
    Chunk& chunk = m_chunks[index];
    chunk.slab = slab;
    return &chunk;
}

std::byte* ChunkStore::take_slab(Arena::Supply supply)
{
    reclaim_orphans();
    while ((m_lru.size() > m_clean_limit || m_arena.in_use() >= m_arena.limit()) && evict_one()) {
    }
    std::byte* slab = m_arena.allocate(Arena::Supply::normal);
    return slab != nullptr || supply == Arena::Supply::normal ? slab : m_arena.allocate(supply);
}

bool ChunkStore::evict_one()
{
    for (const ChunkIndex index : m_lru) {
        Chunk& chunk = m_chunks.at(index);
        if (!m_arena.is_pinned(chunk.slab)) {
            remember_ghost(index);
            drop(index, chunk);
            return true;
        }
    }
    return false;
}

void ChunkStore::remember_ghost(ChunkIndex index)
{
    const auto [place, is_new] = m_ghost_places.try_emplace(index);
    if (!is_new) {
        m_ghosts.erase(place->second);
    }
    place->second = m_ghosts.insert(m_ghosts.end(), index);
    if (m_ghosts.size() > m_arena.limit()) {
        m_ghost_places.erase(m_ghosts.front());
        m_ghosts.pop_front();
    }
}

void ChunkStore::learn_from_miss(ChunkIndex index)
{
    const auto place = m_ghost_places.find(index);
    if (place == m_ghost_places.end()) {
        return;
    }
    m_ghosts.erase(place->second);
    m_ghost_places.erase(place);
    m_clean_limit = std::min(m_clean_limit + 1, m_arena.limit());
}

void ChunkStore::reclaim_orphans()
{
    std::erase_if(m_orphans, [this](std::byte* slab) {
        if (m_arena.is_pinned(slab)) {
            return false;
        }
        m_arena.release(slab);
        return true;
    });
}

void ChunkStore::drop(ChunkIndex index, Chunk& chunk)
{
    if (chunk.m_in_lru) {
        m_lru.erase(chunk.m_lru);
    }
    if (m_arena.is_pinned(chunk.slab)) {
        m_orphans.push_back(chunk.slab);
    } else {
        m_arena.release(chunk.slab);
    }
    m_chunks.erase(index);
}

void ChunkStore::settle(ChunkIndex index, Chunk& chunk)
{
    const bool held = (chunk.dirty | chunk.filling) != 0;
    if (held != chunk.m_held) {
        m_held = held ? m_held + 1 : m_held - 1;
        chunk.m_held = held;
    }
    const bool evictable = !held && chunk.reading == 0;
    if (chunk.m_in_lru && !evictable) {
        m_lru.erase(chunk.m_lru);
        chunk.m_in_lru = false;
    } else if (evictable && chunk.present == 0) {
        drop(index, chunk);
    } else if (evictable && !chunk.m_in_lru) {
        chunk.m_lru = m_lru.insert(m_lru.end(), index);
        chunk.m_in_lru = true;
    }
}

void ChunkStore::touch(Chunk& chunk)
{
    if (chunk.m_in_lru) {
        m_lru.splice(m_lru.end(), m_lru, chunk.m_lru);
    }
}

void ChunkStore::check_invariants() const
{
    std::size_t held = 0;
    std::size_t in_lru = 0;
    for (const auto& [index, chunk] : m_chunks) {
        require((chunk.filling & chunk.reading) == 0);
        require(((chunk.filling | chunk.reading) & chunk.present) == 0);
        require((chunk.writing & ~chunk.dirty) == 0 && (chunk.dirty & ~chunk.present) == 0);
        require((chunk.dirty & m_on_disk[number(index)]) == 0);
        require(chunk.m_held == ((chunk.dirty | chunk.filling) != 0));
        require(chunk.m_in_lru == (!chunk.m_held && chunk.reading == 0));
        held += chunk.m_held ? 1 : 0;
        in_lru += chunk.m_in_lru ? 1 : 0;
    }
    require(held == m_held && in_lru == m_lru.size());
    require(m_arena.in_use() == m_chunks.size() + m_orphans.size());
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "slab_plan.hpp"

#include "ezio/util/units.hpp"

#include <algorithm>

namespace ezio {

namespace {

// See choose_chunk_length.
constexpr std::size_t fewest_slabs = 128;

// Peers continue for up to one receive buffer each after they are told to wait.
constexpr std::uint64_t overflow_bytes = 64_MiB;

// Every peer's current chunk, and half of a small processor's cache.
constexpr std::uint64_t first_read_cache_bytes = 16_MiB;

} // namespace

CacheGeometry geometry_for(const Image& image, std::uint64_t memory)
{
    return {image.layout(), choose_chunk_length(image.piece_length, memory)};
}

Arena make_arena(const Image& image, std::uint64_t memory)
{
    const std::uint64_t slab = choose_chunk_length(image.piece_length, memory);
    return {slab, std::max<std::size_t>(fewest_slabs, memory / slab), overflow_bytes / slab};
}

std::size_t low_mark(const Arena& arena)
{
    return arena.limit() * 3 / 4;
}

std::size_t high_mark(const Arena& arena)
{
    return arena.limit() * 7 / 8;
}

std::size_t most_pinned(const Arena& arena)
{
    return arena.limit() * 5 / 16;
}

std::size_t first_read_cache(const Arena& arena)
{
    return first_read_cache_bytes / arena.slab_bytes();
}

} // namespace ezio

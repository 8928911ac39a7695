// SPDX-License-Identifier: GPL-2.0-or-later
//
// How the disk engine divides its memory into slabs, and at which numbers of them it acts. Pure functions.
#pragma once

#include "ezio/engine/arena.hpp"
#include "ezio/engine/chunk_store.hpp"
#include "ezio/image/image.hpp"

#include <cstddef>
#include <cstdint>

namespace ezio {

[[nodiscard]] CacheGeometry geometry_for(const Image& image, std::uint64_t memory);

// The arena of `memory` bytes, and of more where choose_chunk_length's smallest slabs would be fewer than
// 128. Slabs beyond its limit take what peers still send after they are told to wait. Throws std::bad_alloc.
[[nodiscard]] Arena make_arena(const Image& image, std::uint64_t memory);

// --- numbers of slabs ---

// With received data: above this, incomplete pieces are flushed, and below it, held peers are released. It
// must be one number: if flushing stopped above the level that peers wait for, they would wait forever.
[[nodiscard]] std::size_t low_mark(const Arena& arena);

// With received data: from this on, peers are held. Early flushing begins well before.
[[nodiscard]] std::size_t high_mark(const Arena& arena);

// What peers' send queues may pin while we are receiving. With more, nothing would be left for received data:
// slabs up to low_mark, and those that arrive while peers are told to wait.
[[nodiscard]] std::size_t most_pinned(const Arena& arena);

// The initial size of the read cache.
[[nodiscard]] std::size_t first_read_cache(const Arena& arena);

} // namespace ezio

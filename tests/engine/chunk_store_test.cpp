// SPDX-License-Identifier: GPL-2.0-or-later
//
// The store by itself. How a piece cache uses it for reads is in piece_cache_read_test.cpp.
#include "ezio/engine/chunk_store.hpp"

#include "catch.hpp"

#include "ezio/util/units.hpp"

#include <vector>

namespace ezio {

using Supply = Arena::Supply;

namespace {

// 16 chunks of one block each.
constexpr CacheGeometry small{{256_KiB, 16_KiB}, 16_KiB};

struct Store {
    explicit Store(std::size_t slabs, std::size_t clean_at_first = 64)
        : arena(16_KiB, slabs, 2), chunks(small, arena, clean_at_first)
    {}

    // As if the chunk were read; false without a slab for it.
    bool read(std::uint64_t number)
    {
        const ChunkIndex index{number};
        if (Chunk* chunk = chunks.find(index)) {
            chunks.touch(*chunk);
            return true;
        }
        chunks.learn_from_miss(index);
        Chunk* chunk = chunks.make(index, Supply::normal);
        if (chunk == nullptr) {
            return false;
        }
        chunk->present = 1;
        chunks.settle(index, *chunk);
        chunks.check_invariants();
        return true;
    }

    Arena arena;
    ChunkStore chunks;
};

} // namespace

TEST_CASE("chunk store: chunks are no longer than a piece, 1 MiB, or what memory has room for 128 of")
{
    CHECK(choose_chunk_length(16_KiB, 256_MiB) == 16_KiB);
    CHECK(choose_chunk_length(256_KiB, 256_MiB) == 256_KiB);
    CHECK(choose_chunk_length(16_MiB, 256_MiB) == 1_MiB);
    CHECK(choose_chunk_length(16_MiB, 32_MiB) == 256_KiB);
    CHECK(choose_chunk_length(16_MiB, 63_MiB) == 256_KiB);
    CHECK(choose_chunk_length(64_MiB, 4_GiB) == 1_MiB);
    CHECK(choose_chunk_length(64_MiB, 0) == 16_KiB);
}

TEST_CASE("chunk store: a chunk has a bit for each of its blocks, up to 64, fewer where the payload ends")
{
    const CacheGeometry geometry{{2_MiB + 3 * 16_KiB + 1, 1_MiB}, 1_MiB};
    CHECK(geometry.chunk_count() == 3);
    CHECK(geometry.all_blocks(ChunkIndex{0}) == ~0ULL);
    CHECK(geometry.all_blocks(ChunkIndex{2}) == 0xf);
    CHECK(geometry.chunk_size(ChunkIndex{2}) == 3 * 16_KiB + 1);
    CHECK(geometry.piece_size(2) == 3 * 16_KiB + 1);
    CHECK(small.all_blocks(ChunkIndex{3}) == 1);
}

TEST_CASE("chunk store: the bits of a range are those of the blocks that it touches")
{
    const CacheGeometry geometry{{8_MiB, 2_MiB}, 1_MiB};
    CHECK(geometry.bit_of(0) == 1);
    CHECK(geometry.bit_of(1_MiB - 1) == 1ULL << 63);
    CHECK(geometry.bit_of(1_MiB) == 1);
    CHECK(geometry.bits_of(0, 1_MiB) == ~0ULL);
    CHECK(geometry.bits_of(3_MiB, 1) == 1);
    CHECK(geometry.bits_of(16_KiB - 1, 2) == 0b11);
    CHECK(geometry.bits_of(16_KiB, 16_KiB) == 0b10);
    CHECK(geometry.bits_of(1_MiB - 16_KiB, 16_KiB) == 1ULL << 63);
}

TEST_CASE("chunk store: a chunk is made once and dropped when nothing is in it any more")
{
    Store store(4);
    CHECK(store.chunks.find(ChunkIndex{3}) == nullptr);
    Chunk* chunk = store.chunks.make(ChunkIndex{3}, Supply::normal);
    REQUIRE(chunk != nullptr);
    CHECK(store.chunks.make(ChunkIndex{3}, Supply::normal) == chunk);
    chunk->filling = 1;
    store.chunks.settle(ChunkIndex{3}, *chunk);
    CHECK(store.chunks.held() == 1);
    chunk->filling = 0;
    chunk->present = chunk->dirty = 1;
    store.chunks.settle(ChunkIndex{3}, *chunk);
    CHECK(store.chunks.held() == 1);
    CHECK(store.chunks.received(ChunkIndex{3}) == 1);
    chunk->present = chunk->dirty = 0;
    store.chunks.settle(ChunkIndex{3}, *chunk);
    CHECK(store.chunks.held() == 0);
    CHECK(store.chunks.find(ChunkIndex{3}) == nullptr);
    CHECK(store.arena.in_use() == 0);
    store.chunks.check_invariants();
}

TEST_CASE("chunk store: only clean chunks are evicted, least recently used first")
{
    Store store(4);
    Chunk* dirty = store.chunks.make(ChunkIndex{0}, Supply::normal);
    dirty->present = dirty->dirty = 1;
    store.chunks.settle(ChunkIndex{0}, *dirty);
    Chunk* reading = store.chunks.make(ChunkIndex{1}, Supply::normal);
    reading->reading = 1;
    store.chunks.settle(ChunkIndex{1}, *reading);
    CHECK(store.read(2));
    CHECK(store.read(3));
    CHECK(store.read(2));
    CHECK(store.read(4)); // evicts 3
    CHECK(store.chunks.find(ChunkIndex{3}) == nullptr);
    CHECK(store.chunks.find(ChunkIndex{0}) == dirty);
    CHECK(store.chunks.find(ChunkIndex{1}) == reading);
    CHECK(store.chunks.find(ChunkIndex{2}) != nullptr);

    store.arena.pin(store.chunks.find(ChunkIndex{2})->slab);
    store.arena.pin(store.chunks.find(ChunkIndex{4})->slab);
    CHECK_FALSE(store.read(5));
    CHECK(store.chunks.make(ChunkIndex{5}, Supply::overflow) != nullptr);
}

TEST_CASE("chunk store: the slab of a chunk that is dropped while pinned is used again only after that")
{
    Store store(1);
    REQUIRE(store.read(7));
    Chunk& chunk = *store.chunks.find(ChunkIndex{7});
    std::byte* slab = chunk.slab;
    store.arena.pin(slab);
    chunk.present = 0;
    store.chunks.settle(ChunkIndex{7}, chunk);
    store.chunks.check_invariants();
    CHECK(store.chunks.find(ChunkIndex{7}) == nullptr);
    CHECK_FALSE(store.read(8));
    store.arena.unpin(slab);
    REQUIRE(store.read(8));
    CHECK(store.chunks.find(ChunkIndex{8})->slab == slab);
}

TEST_CASE("chunk store: the read cache stays as small as it begins while nothing is read again")
{
    Store store(12, 3);
    for (std::uint64_t index = 0; index < 16; ++index) {
        CHECK(store.read(index));
        CHECK(store.arena.in_use() <= 4); // the limit, and the one that is needed
    }
    CHECK(store.read(15));
    CHECK(store.read(14));
    CHECK(store.arena.in_use() <= 4);
}

TEST_CASE("chunk store: the read cache grows by a slab for each chunk that is read again after its eviction")
{
    Store store(12, 3);
    for (int round = 0; round < 20; ++round) { // more often than there are slabs
        for (std::uint64_t index = 0; index < 8; ++index) {
            CHECK(store.read(index));
        }
    }
    for (std::uint64_t index = 0; index < 8; ++index) {
        CHECK(store.chunks.find(ChunkIndex{index}) != nullptr);
    }
    CHECK(store.arena.in_use() == 8);
}

TEST_CASE("chunk store: chunks that were evicted long ago are forgotten, and do not make the read cache grow")
{
    Store store(4, 2);
    for (int round = 0; round < 3; ++round) { // the last 4 that were evicted are remembered: an arena full
        for (std::uint64_t index = 0; index < 16; ++index) {
            CHECK(store.read(index));
        }
    }
    CHECK(store.arena.in_use() == 3);
}

} // namespace ezio

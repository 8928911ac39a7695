// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reading through a piece cache, what stays in it and what goes, and pieces that are cleared meanwhile.
#include "ezio/engine/piece_cache.hpp"

#include "cache_driver.hpp"

namespace ezio {

using test::same_bytes;

namespace {

constexpr std::uint64_t chunk_blocks = 16;

// 16 pieces of one chunk, all of them on the disk; room for `slabs`.
struct OnDisk : CacheDriver {
    explicit OnDisk(std::size_t slabs) : CacheDriver({4_MiB, 256_KiB, 256_KiB, slabs, 2})
    {
        disk = payload;
        for (std::uint32_t piece = 0; piece < 16; ++piece) {
            cache.set_on_disk(piece);
        }
    }

    // Reads the piece into memory, or uses it there.
    void read(std::uint64_t piece)
    {
        const auto found = cache.find(piece * 256_KiB, block_bytes);
        if (found.what == Read::hit) {
            arena.unpin(found.memory);
        } else {
            finish(take<ReadJob>());
        }
    }

    [[nodiscard]] bool is_cached(std::uint64_t piece)
    {
        const auto segments = cache.pinned_segments(piece * 256_KiB, block_bytes);
        cache.unpin(segments);
        return segments.front().memory != nullptr;
    }
};

} // namespace

TEST_CASE("piece cache: a block is read from memory as soon as it was received, pinned for the reader")
{
    CacheDriver driver({4_MiB, 1_MiB, 256_KiB});
    (void)driver.cache.begin_receive(0);
    CHECK(driver.cache.find(0, 16_KiB).what == Read::missing); // it is still being copied
    driver.cache.end_receive(0);
    driver.receive_blocks(1, 1);
    const auto found = driver.cache.find(16_KiB + 100, 1000);
    REQUIRE(found.what == Read::hit);
    CHECK(same_bytes(found.memory, &driver.payload[16_KiB + 100], 1000));
    CHECK(driver.arena.is_pinned(found.memory));
    driver.arena.unpin(found.memory);
    CHECK(driver.pinned_slabs() == 0);
}

TEST_CASE("piece cache: a read across blocks is a hit when all of them are there")
{
    CacheDriver driver({4_MiB, 1_MiB, 256_KiB});
    driver.receive_blocks(14, 2);
    CHECK(driver.cache.find(13 * 16_KiB + 1, 16_KiB).what == Read::missing);
    const auto found = driver.cache.find(14 * 16_KiB + 1, 16_KiB);
    REQUIRE(found.what == Read::hit);
    CHECK(same_bytes(found.memory, &driver.payload[14 * 16_KiB + 1], 16_KiB));
    CHECK(driver.cache.find_cached(15 * 16_KiB + 1, 16_KiB) == nullptr);
}

TEST_CASE("piece cache: a miss reads the whole chunk, once, however many ask for it")
{
    OnDisk driver(4);
    for (std::uint64_t block = 16; block < 32; ++block) {
        const auto found = driver.cache.find(block * 16_KiB, 16_KiB);
        CHECK(found.what == Read::wait);
        CHECK(found.chunk == ChunkIndex{1});
    }
    const auto job = driver.take<ReadJob>();
    CHECK(job.chunk == ChunkIndex{1});
    CHECK(stretches(job.segments) == Stretches{blocks(16, 16)});
    CHECK_FALSE(driver.next());
    CHECK(driver.cache.find(20 * 16_KiB, 16_KiB).what == Read::wait); // under way
    CHECK_FALSE(driver.next());
    driver.finish(job);
    const auto found = driver.cache.find(20 * 16_KiB, 16_KiB);
    REQUIRE(found.what == Read::hit);
    CHECK(same_bytes(found.memory, &driver.payload[20 * 16_KiB], 16_KiB));
}

TEST_CASE("piece cache: of a chunk that is partly in memory only the rest is read")
{
    CacheDriver driver({4_MiB, 1_MiB, 256_KiB, 4, 2, 0});
    driver.receive_blocks(2, 3);
    (void)driver.receive(9);
    driver.run_all();                                   // flushed
    for (std::uint64_t chunk = 1; chunk < 5; ++chunk) { // evicted
        (void)driver.receive(chunk * chunk_blocks);
        driver.run_all();
    }
    driver.receive_blocks(5, 1); // into a new slab
    CHECK(driver.cache.find(6 * 16_KiB, 1).what == Read::missing);
    CHECK(driver.cache.find(4 * 16_KiB, 32_KiB).what == Read::wait);
    const auto job = driver.take<ReadJob>();
    CHECK(stretches(job.segments) == Stretches{blocks(2, 3), blocks(9, 1)});
    driver.finish(job);
    const auto found = driver.cache.find(4 * 16_KiB, 32_KiB);
    REQUIRE(found.what == Read::hit);
    CHECK(same_bytes(found.memory, &driver.payload[4 * 16_KiB], 32_KiB));
}

TEST_CASE("piece cache: a read across chunks is put together from their segments, those in memory pinned")
{
    OnDisk driver(4);
    driver.read(0);
    const std::uint64_t offset = 256_KiB - 1000;
    CHECK(driver.cache.find(offset, 16_KiB).what == Read::direct);
    CHECK(driver.cache.find_cached(offset, 16_KiB) == nullptr);
    CHECK_FALSE(driver.next());
    const auto segments = driver.cache.pinned_segments(offset, 16_KiB);
    CHECK(stretches(segments) == Stretches{{offset, 1000}, {256_KiB, 16_KiB - 1000}});
    CHECK(same_bytes(segments[0].memory, &driver.payload[offset], 1000));
    CHECK(segments[1].memory == nullptr);
    CHECK(driver.pinned_slabs() == 1);
    driver.cache.unpin(segments);
    CHECK(driver.pinned_slabs() == 0);
}

TEST_CASE("piece cache: segments of what was not received are none, and nothing stays pinned")
{
    CacheDriver driver({4_MiB, 1_MiB, 256_KiB});
    driver.receive_blocks(0, 16);
    CHECK(driver.cache.pinned_segments(0, 17 * 16_KiB).empty());
    CHECK(driver.pinned_slabs() == 0);
}

TEST_CASE("piece cache: the least recently used clean chunk is evicted")
{
    OnDisk driver(3);
    for (const std::uint64_t piece : {0, 1, 2, 0}) {
        driver.read(piece);
    }
    driver.read(3);
    CHECK(driver.is_cached(0));
    CHECK_FALSE(driver.is_cached(1));
    driver.arena.unpin(driver.cache.find_cached(2 * 256_KiB, 1)); // that is a use, too
    driver.read(4);
    CHECK_FALSE(driver.is_cached(0));
    CHECK(driver.is_cached(2));
    CHECK(driver.is_cached(3));
    CHECK(driver.arena.in_use() == 3);
}

TEST_CASE("piece cache: written pieces stay in memory until their slabs are needed")
{
    CacheDriver driver({4_MiB, 256_KiB, 256_KiB, 2, 2});
    driver.complete_piece(0);
    driver.complete_piece(1);
    CHECK(driver.arena.in_use() == 2);
    const auto found = driver.cache.find(0, 16_KiB);
    CHECK(found.what == Read::hit);
    driver.arena.unpin(found.memory);
    driver.complete_piece(2); // evicts piece 1, which was used before
    CHECK(driver.arena.in_use() == 2);
    CHECK(driver.cache.find_cached(0, 1) != nullptr);
    CHECK(driver.cache.find_cached(256_KiB, 1) == nullptr);
}

TEST_CASE("piece cache: a pinned chunk is not evicted, where all are, a read goes past the cache")
{
    OnDisk driver(2);
    for (const std::uint64_t piece : {0, 1}) {
        driver.read(piece);
        (void)driver.cache.find_cached(piece * 256_KiB, 1);
    }
    CHECK(driver.cache.find(2 * 256_KiB, 16_KiB).what == Read::direct);
    const auto segments = driver.cache.pinned_segments(2 * 256_KiB, 16_KiB);
    REQUIRE(segments.size() == 1);
    CHECK(segments[0].memory == nullptr);
    driver.arena.unpin(driver.cache.find_cached(256_KiB, 1)); // once for each pin
    driver.arena.unpin(driver.cache.find_cached(256_KiB, 1));
    CHECK(driver.arena.is_pinned(driver.cache.find_cached(256_KiB, 1)));
}

TEST_CASE("piece cache: the slab that a reader gave back is the one that is taken, however old others are")
{
    OnDisk driver(2);
    driver.read(0);
    std::byte* held = driver.cache.find_cached(0, 1);
    driver.read(1);
    driver.read(2); // 0 is older, and pinned
    CHECK(driver.is_cached(0));
    CHECK_FALSE(driver.is_cached(1));
    driver.arena.unpin(held);
    driver.read(3);
    CHECK_FALSE(driver.is_cached(0));
}

TEST_CASE("piece cache: a chunk with received data, or being read, is not evicted for a read")
{
    OnDisk driver(2);
    CHECK(driver.cache.clear(7)); // nothing to forget: it was verified
    CacheDriver mixed({4_MiB, 256_KiB, 256_KiB, 2, 2});
    mixed.cache.set_on_disk(5);
    mixed.cache.set_on_disk(6);
    (void)mixed.receive(0);
    REQUIRE(mixed.cache.find(5 * 256_KiB, 16_KiB).what == Read::wait);
    CHECK(mixed.cache.find(6 * 256_KiB, 16_KiB).what == Read::direct);
    const auto job = mixed.take<ReadJob>();
    CHECK(mixed.cache.find(6 * 256_KiB, 16_KiB).what == Read::direct);
    mixed.finish(job);
    CHECK(mixed.cache.find(6 * 256_KiB, 16_KiB).what == Read::wait);
    CHECK(mixed.cache.find(0, 16_KiB).what == Read::hit);
}

TEST_CASE("piece cache: clearing forgets what is in memory and what was flushed")
{
    CacheDriver driver({4_MiB, 1_MiB, 256_KiB, 8, 2, 2});
    driver.receive_blocks(0, 40);
    driver.run_all(); // flushed in part
    CHECK(driver.cache.clear(0));
    driver.check();
    CHECK(driver.cache.held_slabs() == 0);
    CHECK(driver.arena.in_use() == 0);
    for (std::uint64_t block = 0; block < 40; ++block) {
        CHECK(driver.cache.find(block * 16_KiB, 16_KiB).what == Read::missing);
    }
    driver.complete_piece(0);
    CHECK(driver.disk_is_right(0, 1_MiB));
}

TEST_CASE("piece cache: clearing leaves other pieces alone")
{
    CacheDriver driver({4_MiB, 1_MiB, 256_KiB});
    driver.receive_blocks(60, 8); // the end of piece 0, the start of piece 1
    CHECK(driver.cache.clear(0));
    CHECK(driver.cache.find(63 * 16_KiB, 16_KiB).what == Read::missing);
    CHECK(driver.cache.find(64 * 16_KiB, 16_KiB).what == Read::hit);
}

TEST_CASE("piece cache: a piece that is being hashed is cleared when the hash ends, whatever it says")
{
    CacheDriver driver({4_MiB, 1_MiB, 256_KiB});
    driver.receive_piece(0);
    REQUIRE(driver.cache.want_hash(0));
    const auto job = driver.take<HashJob>();
    CHECK_FALSE(driver.cache.clear(0));
    CHECK_FALSE(driver.cache.clear(0));
    CHECK(driver.cache.take_cleared().empty());
    driver.finish(job); // good
    CHECK(driver.cache.take_cleared() == Pieces{0});
    CHECK(driver.cache.take_cleared().empty());
    CHECK_FALSE(driver.next()); // not written
    CHECK(driver.cache.held_slabs() == 0);
    CHECK(driver.cache.done_bytes() == 0);
}

TEST_CASE("piece cache: a piece that is being written or read is cleared when the last of that ends")
{
    CacheDriver driver({4_MiB, 1_MiB, 256_KiB, 4, 2, 0});
    driver.receive_blocks(0, 16);
    driver.run_all();
    for (const std::uint64_t block : {200, 220, 240, 210}) { // evicts it
        (void)driver.receive(block);
        driver.run_all();
    }
    driver.receive_blocks(16, 16);
    REQUIRE(driver.cache.find(0, 16_KiB).what == Read::wait);
    const auto read = driver.take<ReadJob>();
    const auto flush = driver.take<WriteJob>();
    CHECK(flush.pieces == Pieces{0});
    CHECK_FALSE(driver.cache.clear(0));
    driver.finish(flush);
    CHECK(driver.cache.take_cleared().empty());
    driver.finish(read);
    CHECK(driver.cache.take_cleared() == Pieces{0});
    CHECK(driver.cache.find(0, 16_KiB).what == Read::missing);
    CHECK(driver.cache.find(256_KiB, 16_KiB).what == Read::missing);
}

TEST_CASE("piece cache: a verified piece that waits to be written can still be cleared")
{
    CacheDriver driver({4_MiB, 1_MiB, 256_KiB});
    driver.verify_piece(2);
    CHECK(driver.cache.clear(2));
    CHECK_FALSE(driver.next());
    driver.complete_piece(2);
    CHECK(driver.cache.done_bytes() == 1_MiB);
}

TEST_CASE("piece cache: a block that comes while its piece is being cleared is not kept")
{
    CacheDriver driver({4_MiB, 1_MiB, 256_KiB});
    driver.receive_blocks(0, 16);
    const auto job = driver.take<HashJob>();
    CHECK_FALSE(driver.cache.clear(0));
    CHECK(driver.receive(20) == Receive::duplicate);
    CHECK_FALSE(driver.cache.want_hash(0));
    driver.finish(job);
    CHECK(driver.cache.take_cleared() == Pieces{0});
    CHECK(driver.cache.find(20 * 16_KiB, 16_KiB).what == Read::missing);
    driver.complete_piece(0);
}

TEST_CASE("piece cache: a slab that a peer still reads when its piece is cleared is not used until it is "
          "given back")
{
    CacheDriver driver({4_MiB, 256_KiB, 256_KiB, 2, 1});
    REQUIRE(driver.receive(0, Data::wrong) == Receive::copy);
    const auto found = driver.cache.find(0, 16_KiB);
    REQUIRE(found.what == Read::hit);
    const std::vector<std::byte> before(found.memory, found.memory + 16_KiB);
    CHECK(driver.cache.clear(0));
    driver.check();
    CHECK(driver.arena.in_use() == 1); // an orphan

    REQUIRE(driver.receive(0) == Receive::copy); // the same block, elsewhere
    REQUIRE(driver.receive(16) == Receive::copy);
    CHECK(driver.receive(32) == Receive::no_memory);
    CHECK(same_bytes(found.memory, before.data(), 16_KiB));
    driver.arena.unpin(found.memory);
    CHECK(driver.receive(32) == Receive::copy); // into the slab that was given back
    CHECK_FALSE(same_bytes(found.memory, before.data(), 16_KiB));
}

TEST_CASE("piece cache: a read of a verified piece that ends after the piece was cleared brings nothing back")
{
    CacheDriver driver({4_MiB, 256_KiB, 256_KiB, 4, 2});
    driver.cache.set_on_disk(0); // but the disk has something else
    REQUIRE(driver.cache.find(0, 16_KiB).what == Read::wait);
    const auto read = driver.take<ReadJob>();
    REQUIRE(driver.cache.want_hash(0));
    driver.finish(driver.take<HashJob>());
    CHECK_FALSE(driver.cache.clear(0));
    driver.finish(read);
    CHECK(driver.cache.take_cleared() == Pieces{0});
    CHECK(driver.cache.find(0, 16_KiB).what == Read::missing);
    driver.complete_piece(0);
    CHECK(driver.disk_is_right(0, 256_KiB));
}

} // namespace ezio

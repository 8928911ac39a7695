// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a piece cache does when slabs run short: it writes blocks of pieces that are not complete.
#include "ezio/engine/piece_cache.hpp"

#include "cache_driver.hpp"

namespace ezio {

namespace {

// Pieces of 4 MiB in chunks of 256 KiB (16 blocks); flushing begins with slab number `flush_above` + 1.
CacheDriver::Setup small_chunks(std::size_t flush_above)
{
    return {16_MiB, 4_MiB, 256_KiB, 64, 8, flush_above};
}

constexpr std::uint64_t piece_blocks = 256;
constexpr std::uint64_t chunk_blocks = 16;

// Takes memory so that flushing is wanted, with blocks that nobody would flush: their piece is being hashed.
// Returns that hash.
HashJob squeeze(CacheDriver& driver, std::uint32_t piece)
{
    driver.receive_piece(piece);
    REQUIRE(driver.cache.want_hash(piece));
    return driver.take<HashJob>(Writes::no);
}

} // namespace

TEST_CASE("piece cache: nothing is flushed as long as received data holds `flush_above` slabs or fewer")
{
    CacheDriver driver(small_chunks(3));
    for (std::uint64_t chunk = 1; chunk <= 3; ++chunk) {
        (void)driver.receive(chunk * chunk_blocks);
        CHECK_FALSE(driver.next());
        CHECK_FALSE(driver.cache.has_job());
    }
    (void)driver.receive(8 * chunk_blocks);
    CHECK(driver.cache.has_job());
    CHECK_FALSE(driver.next(Writes::no));
    const auto job = driver.take<WriteJob>();
    CHECK(job.pieces == Pieces{0});
    CHECK_FALSE(driver.next()); // what is being written does not count any more
    driver.finish(job);
    CHECK_FALSE(driver.next());
}

TEST_CASE("piece cache: chunks that the hash has passed are flushed first, then full ones, then any")
{
    CacheDriver driver(small_chunks(20));
    const HashJob other = squeeze(driver, 3);         // 16 chunks
    driver.receive_blocks(piece_blocks + 5, 5);       // piece 1: some of its first chunk
    driver.receive_blocks(2 * piece_blocks + 64, 16); // piece 2: chunk 4, full, but the hash is not there
    driver.receive_blocks(0, 16);                     // piece 0: its first chunk, hashed
    driver.finish(driver.take<HashJob>(Writes::no));
    driver.receive_blocks(30, 2); // and an end of the second
    CHECK_FALSE(driver.next());
    driver.receive_blocks(40, 1);

    const auto hashed = driver.take<WriteJob>();
    CHECK(stretches(hashed.segments) == Stretches{blocks(0, 16)});
    driver.finish(hashed);
    CHECK_FALSE(driver.next());
    (void)driver.receive(100);
    CHECK(stretches(driver.take<WriteJob>().segments) == Stretches{blocks(2 * piece_blocks + 64, 16)});
    (void)driver.receive(120);
    CHECK(stretches(driver.take<WriteJob>().segments) == Stretches{blocks(piece_blocks + 5, 5)});
    (void)driver.receive(150);
    CHECK(stretches(driver.take<WriteJob>().segments) == Stretches{blocks(30, 2), blocks(40, 1)});
    driver.finish(other);
}

TEST_CASE("piece cache: among equals the chunk with most blocks is flushed")
{
    CacheDriver driver(small_chunks(2));
    driver.receive_blocks(0, 3);
    driver.receive_blocks(40, 5);
    driver.receive_blocks(70, 4);
    CHECK(stretches(driver.take<WriteJob>().segments) == Stretches{blocks(40, 5)});
}

TEST_CASE("piece cache: a flush takes neighbours along that are as good, in the same piece")
{
    CacheDriver driver(small_chunks(5));
    driver.receive_blocks(2 * chunk_blocks, 3);  // neither full
    driver.receive_blocks(3 * chunk_blocks, 48); // three full chunks
    driver.receive_blocks(7 * chunk_blocks, 16); // full, and apart
    CHECK_FALSE(driver.next());
    driver.receive_blocks(6 * chunk_blocks, 15);
    const auto job = driver.take<WriteJob>();
    const Stretches three{blocks(48, 16), blocks(64, 16), blocks(80, 16)};
    const Stretches one{blocks(112, 16)};
    CHECK((stretches(job.segments) == three || stretches(job.segments) == one));
    CHECK(job.pieces == Pieces{0});
}

TEST_CASE("piece cache: a flush does not go beyond its piece")
{
    CacheDriver driver(small_chunks(3));
    driver.receive_blocks(piece_blocks - 32, 64);
    const auto job = driver.take<WriteJob>();
    const Stretches before{blocks(piece_blocks - 32, 16), blocks(piece_blocks - 16, 16)};
    const Stretches after{blocks(piece_blocks, 16), blocks(piece_blocks + 16, 16)};
    CHECK((stretches(job.segments) == before || stretches(job.segments) == after));
    CHECK(job.pieces.size() == 1);
}

TEST_CASE("piece cache: a chunk of 64 blocks is flushed in stretches, its first and last block among them")
{
    CacheDriver driver({8_MiB, 4_MiB, 1_MiB, 8, 8, 0});
    (void)driver.receive(0);
    driver.receive_blocks(10, 2);
    (void)driver.receive(63);
    auto job = driver.take<WriteJob>();
    CHECK(stretches(job.segments) == Stretches{blocks(0, 1), blocks(10, 2), blocks(63, 1)});
    driver.finish(job);
    driver.receive_blocks(1, 9);
    driver.receive_blocks(12, 51);
    job = driver.take<WriteJob>();
    CHECK(stretches(job.segments) == Stretches{blocks(1, 9), blocks(12, 51)});
    driver.finish(job);
    CHECK(driver.disk_is_right(0, 1_MiB));
    CHECK(driver.cache.held_slabs() == 0);
}

TEST_CASE("piece cache: the last, short block of the payload is flushed with its own length")
{
    CacheDriver driver({1_MiB + 16_KiB + 9, 1_MiB, 1_MiB, 8, 8, 0});
    driver.receive_blocks(65, 1);
    const auto job = driver.take<WriteJob>();
    CHECK(stretches(job.segments) == Stretches{{1_MiB + 16_KiB, 9}});
    driver.finish(job);
}

TEST_CASE("piece cache: blocks that come while their chunk is written are not in that job, but in the next")
{
    CacheDriver driver(small_chunks(0));
    driver.receive_blocks(0, 2);
    const auto first = driver.take<WriteJob>();
    driver.receive_blocks(2, 2);
    CHECK_FALSE(driver.next()); // the slab is on its way
    driver.receive_blocks(100, 3);
    CHECK(stretches(driver.take<WriteJob>().segments) == Stretches{blocks(100, 3)});
    driver.finish(first);
    CHECK(driver.cache.held_slabs() == 2);
    CHECK(stretches(driver.take<WriteJob>().segments) == Stretches{blocks(2, 2)});
}

TEST_CASE("piece cache: pieces that are about to be hashed, or were, or are being cleared are not flushed")
{
    CacheDriver driver(small_chunks(0));
    const HashJob hash = squeeze(driver, 0);
    CHECK_FALSE(driver.next()); // wanted, and under way
    REQUIRE(driver.receive(piece_blocks, Data::wrong) == Receive::copy);
    driver.receive_blocks(piece_blocks + 1, piece_blocks - 1);
    REQUIRE(driver.cache.want_hash(1));
    const auto bad = driver.take<HashJob>();
    driver.finish(bad);
    CHECK_FALSE(driver.next()); // bad
    CHECK_FALSE(driver.cache.clear(0));
    CHECK_FALSE(driver.next()); // clearing
    driver.finish(hash);
    CHECK(driver.cache.take_cleared() == Pieces{0});
}

TEST_CASE("piece cache: what was flushed ahead of the hash is read back for it, once the piece is complete")
{
    CacheDriver driver({8_MiB, 4_MiB, 1_MiB, 4, 4, 0});
    driver.receive_blocks(64, 64); // the piece's second chunk
    driver.finish(driver.take<WriteJob>());
    for (std::uint64_t block = 300; block < 500; block += 64) { // evicts it
        (void)driver.receive(block);
    }
    driver.run_all();
    driver.receive_blocks(0, 64);
    const auto prefix = driver.take<WriteJob>(); // (no memory: first)
    driver.finish(prefix);
    const auto hash = driver.take<HashJob>();
    CHECK(stretches(hash.segments) == Stretches{blocks(0, 64)}); // as far as it is in memory
    driver.finish(hash);
    CHECK_FALSE(driver.next());

    for (std::uint64_t block = 128; block < 256; ++block) {
        (void)driver.receive(block);
        driver.run_all();
    }
    REQUIRE(driver.cache.want_hash(0));
    const auto last = driver.take<HashJob>();
    CHECK(last.last);
    REQUIRE_FALSE(last.segments.empty());
    CHECK(stretches(last.segments).front() == blocks(64, 64));
    CHECK(last.segments.front().memory == nullptr);
    driver.finish(last);
    driver.run_all();
    CHECK(driver.cache.done_bytes() == 4_MiB);
    CHECK(driver.disk_is_right(0, 4_MiB));
}

TEST_CASE("piece cache: a piece that was flushed in part is written for the rest")
{
    CacheDriver driver(small_chunks(0));
    driver.receive_blocks(0, 32);
    driver.finish(driver.take<WriteJob>());
    driver.receive_blocks(32, piece_blocks - 32);
    REQUIRE(driver.cache.want_hash(0));
    driver.finish(driver.take<HashJob>());
    const auto job = driver.take<WriteJob>();
    CHECK(stretches(job.segments).front() == blocks(32, 16));
    CHECK(job.segments.size() == 14);
    driver.finish(job);
    CHECK(driver.cache.done_bytes() == 4_MiB);
    CHECK(driver.disk_is_right(0, 4_MiB));
}

TEST_CASE("piece cache: a piece found good while a flush of it is out is done when both writes are")
{
    CacheDriver driver(small_chunks(0));
    driver.receive_blocks(0, 32);
    const auto flush = driver.take<WriteJob>();
    driver.receive_blocks(32, piece_blocks - 32);
    REQUIRE(driver.cache.want_hash(0));
    driver.finish(driver.take<HashJob>());
    const auto rest = driver.take<WriteJob>();
    CHECK(stretches(rest.segments).front() == blocks(32, 16)); // nothing twice
    driver.finish(rest);
    CHECK(driver.cache.done_bytes() == 0);
    driver.finish(flush);
    CHECK(driver.cache.done_bytes() == 4_MiB);
    CHECK(driver.cache.held_slabs() == 0);
}

TEST_CASE("piece cache: a piece whose last blocks a flush wrote meanwhile is done, and not written again")
{
    CacheDriver driver({1_MiB, 256_KiB, 256_KiB, 8, 8, 0});
    driver.receive_piece(0);
    const auto flush = driver.take<WriteJob>();
    REQUIRE(driver.cache.want_hash(0));
    driver.finish(driver.take<HashJob>());
    driver.finish(flush);
    CHECK(driver.cache.done_bytes() == 256_KiB);
    CHECK_FALSE(driver.cache.has_job());
    CHECK_FALSE(driver.next());
    CHECK(driver.cache.done_bytes() == 256_KiB);
}

TEST_CASE("piece cache: received blocks get slabs beyond the limit, without any left they are refused")
{
    CacheDriver driver({16_MiB, 4_MiB, 256_KiB, 4, 2, 64});
    for (std::uint64_t chunk = 0; chunk < 6; ++chunk) {
        REQUIRE(driver.receive(chunk * chunk_blocks) == Receive::copy);
    }
    CHECK(driver.arena.in_use() == 6);
    CHECK(driver.receive(6 * chunk_blocks) == Receive::no_memory);
    CHECK(driver.receive(1) == Receive::copy); // there is room in a slab
    CHECK(driver.cache.clear(0));
    CHECK(driver.arena.in_use() == 0);
    CHECK(driver.receive(6 * chunk_blocks) == Receive::copy);
}

TEST_CASE("piece cache: when overflow is written, the slabs beyond the limit are the next to go")
{
    CacheDriver driver({16_MiB, 4_MiB, 256_KiB, 4, 4, 0});
    for (std::uint64_t chunk = 0; chunk < 8; ++chunk) {
        REQUIRE(driver.receive(chunk * chunk_blocks) == Receive::copy);
    }
    driver.run_all();
    CHECK(driver.cache.held_slabs() == 0);
    CHECK(driver.arena.in_use() == 8); // clean
    REQUIRE(driver.receive(8 * chunk_blocks) == Receive::copy);
    CHECK(driver.arena.in_use() == 4);
}

} // namespace ezio

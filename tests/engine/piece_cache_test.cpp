// SPDX-License-Identifier: GPL-2.0-or-later
//
// How pieces are received, hashed and written. Flushing under pressure, reading and clearing have files of
// their own.
#include "ezio/engine/piece_cache.hpp"

#include "cache_driver.hpp"

namespace ezio {

namespace {

// 8 pieces of 1 MiB, each of them one chunk.
constexpr CacheDriver::Setup one_chunk_pieces{8_MiB, 1_MiB, 1_MiB};

} // namespace

TEST_CASE("piece cache: a block's place is the same in its slab as in its chunk, also while others come")
{
    CacheDriver driver({4_MiB, 2_MiB, 1_MiB});
    const auto first = driver.cache.begin_receive(0);
    const auto last = driver.cache.begin_receive(1_MiB - 16_KiB);
    const auto other = driver.cache.begin_receive(1_MiB);
    REQUIRE(first.what == Receive::copy);
    REQUIRE(last.what == Receive::copy);
    CHECK(last.memory == first.memory + (1_MiB - 16_KiB));
    CHECK((other.memory < first.memory || other.memory >= first.memory + 1_MiB));
    CHECK(driver.cache.held_slabs() == 2); // they cannot be evicted from the start
}

TEST_CASE("piece cache: a block is received once, whether it is being copied, in memory or on the disk")
{
    CacheDriver driver(one_chunk_pieces);
    (void)driver.cache.begin_receive(0);
    CHECK(driver.cache.begin_receive(0).what == Receive::duplicate);
    driver.cache.end_receive(0);
    CHECK(driver.cache.begin_receive(0).what == Receive::duplicate);

    driver.verify_piece(1);
    CHECK(driver.receive(64) == Receive::duplicate); // being written
    driver.run_all();
    CHECK(driver.receive(64) == Receive::duplicate); // clean, in memory

    driver.cache.set_on_disk(2);
    CHECK(driver.receive(128) == Receive::duplicate); // never in memory
    driver.check();
}

TEST_CASE("piece cache: the hash follows blocks that come in order, in steps of 256 KiB")
{
    CacheDriver driver(one_chunk_pieces);
    driver.receive_blocks(64, 15);
    CHECK_FALSE(driver.next());
    driver.receive_blocks(79, 1);
    const auto job = driver.take<HashJob>();
    CHECK(job.piece == 1);
    CHECK(stretches(job.segments) == Stretches{blocks(64, 16)});
    CHECK_FALSE(job.last);

    driver.receive_blocks(80, 20);
    CHECK_FALSE(driver.next()); // one job on a piece's hash at a time
    driver.finish(job);
    CHECK(stretches(driver.take<HashJob>().segments) == Stretches{blocks(80, 20)});
}

TEST_CASE("piece cache: blocks that come in reverse are hashed when the first has come")
{
    CacheDriver driver(one_chunk_pieces);
    for (std::uint64_t block = 63; block > 0; --block) {
        (void)driver.receive(block);
        CHECK_FALSE(driver.next());
    }
    (void)driver.receive(0);
    CHECK(stretches(driver.take<HashJob>().segments) == Stretches{blocks(0, 64)});
}

TEST_CASE("piece cache: the hash never goes past a gap")
{
    CacheDriver driver(one_chunk_pieces);
    driver.receive_blocks(0, 20);
    driver.receive_blocks(21, 43);
    const auto job = driver.take<HashJob>();
    CHECK(stretches(job.segments) == Stretches{blocks(0, 20)});
    driver.finish(job);
    CHECK_FALSE(driver.next());
    (void)driver.receive(20);
    CHECK(stretches(driver.take<HashJob>().segments) == Stretches{blocks(20, 44)});
}

TEST_CASE("piece cache: a block that is still being copied is a gap")
{
    CacheDriver driver(one_chunk_pieces);
    driver.receive_blocks(0, 5);
    (void)driver.cache.begin_receive(5 * 16_KiB);
    driver.receive_blocks(6, 58);
    CHECK_FALSE(driver.next());
    CHECK_FALSE(driver.cache.want_hash(0));
}

TEST_CASE("piece cache: a hash is refused as long as a block is missing, and then goes to the end")
{
    CacheDriver driver({4_MiB, 2_MiB, 1_MiB});
    CHECK_FALSE(driver.cache.want_hash(0));
    driver.receive_blocks(0, 127);
    CHECK_FALSE(driver.cache.want_hash(0));
    driver.finish(driver.take<HashJob>());
    driver.receive_blocks(127, 1);
    CHECK_FALSE(driver.next()); // less than a step: it waits for want_hash
    CHECK(driver.cache.want_hash(0));
    const auto job = driver.take<HashJob>();
    CHECK(job.last);
    CHECK(stretches(job.segments) == Stretches{blocks(127, 1)});
    driver.finish(job);
    CHECK(stretches(driver.take<WriteJob>().segments) == Stretches{blocks(0, 64), blocks(64, 64)});
}

TEST_CASE("piece cache: a hash wanted while its prefix is under way comes after that, even with nothing left")
{
    CacheDriver driver(one_chunk_pieces);
    driver.receive_piece(0);
    const auto prefix = driver.take<HashJob>();
    CHECK_FALSE(prefix.last);
    CHECK(driver.cache.want_hash(0));
    CHECK_FALSE(driver.next());
    driver.finish(prefix);
    const auto rest = driver.take<HashJob>();
    CHECK(rest.last);
    CHECK(rest.segments.empty());
    driver.finish(rest);
    driver.finish(driver.take<WriteJob>());
    CHECK(driver.cache.done_bytes() == 1_MiB);
}

TEST_CASE("piece cache: the slabs under a hash are pinned")
{
    CacheDriver driver({4_MiB, 2_MiB, 1_MiB});
    driver.receive_piece(0);
    const auto job = driver.take<HashJob>();
    CHECK(driver.pinned_slabs() == 2);
    driver.finish(job);
    CHECK(driver.pinned_slabs() == 0);
}

TEST_CASE("piece cache: a piece is written only after its hash was good")
{
    CacheDriver driver(one_chunk_pieces);
    driver.receive_piece(3);
    driver.finish(driver.take<HashJob>()); // the prefix: all of it
    CHECK_FALSE(driver.next());
    REQUIRE(driver.cache.want_hash(3));
    const auto hash = driver.take<HashJob>();
    CHECK_FALSE(driver.next());
    driver.finish(hash);
    const auto write = driver.take<WriteJob>();
    CHECK(stretches(write.segments) == Stretches{blocks(192, 64)});
    CHECK(write.pieces == Pieces{3});
    CHECK_FALSE(driver.next()); // and once
    CHECK(driver.cache.done_bytes() == 0);
    CHECK(driver.cache.held_slabs() == 1);
    driver.finish(write);
    CHECK(driver.cache.done_bytes() == 1_MiB);
    CHECK(driver.cache.held_slabs() == 0);
    CHECK(driver.disk_is_right(3_MiB, 1_MiB));
}

TEST_CASE("piece cache: a bad piece is never written, cleared and received again, it is good")
{
    CacheDriver driver(one_chunk_pieces);
    REQUIRE(driver.receive(100, Data::wrong) == Receive::copy);
    driver.receive_blocks(64, 36);
    driver.receive_blocks(101, 27);
    REQUIRE(driver.cache.want_hash(1));
    driver.run_all();
    CHECK(driver.cache.done_bytes() == 0);
    CHECK(driver.cache.held_slabs() == 1);
    CHECK(driver.disk == std::vector<std::byte>(8_MiB));
    CHECK(driver.receive(100) == Receive::duplicate); // until it is cleared

    CHECK(driver.cache.clear(1));
    CHECK(driver.cache.take_cleared().empty()); // said already
    CHECK(driver.cache.held_slabs() == 0);
    CHECK_FALSE(driver.cache.want_hash(1));
    driver.complete_piece(1);
    CHECK(driver.disk_is_right(1_MiB, 1_MiB));
    CHECK(driver.cache.done_bytes() == 1_MiB);
}

TEST_CASE("piece cache: adjacent verified pieces are written by one job")
{
    CacheDriver driver(one_chunk_pieces);
    for (const std::uint32_t piece : {2, 0, 6, 1}) {
        driver.verify_piece(piece);
    }
    const auto job = driver.take<WriteJob>();
    CHECK(job.pieces == Pieces{0, 1, 2});
    CHECK(stretches(job.segments) == Stretches{blocks(0, 64), blocks(64, 64), blocks(128, 64)});
    CHECK(driver.take<WriteJob>().pieces == Pieces{6});
}

TEST_CASE("piece cache: one job writes 4 MiB, and goes on to the end of the piece that reaches them")
{
    CacheDriver driver({24_MiB, 1_MiB, 1_MiB});
    for (const std::uint32_t piece : {0, 1, 2, 3, 4, 5}) {
        driver.verify_piece(piece);
    }
    CHECK(driver.take<WriteJob>().pieces == Pieces{0, 1, 2, 3});
    CHECK(driver.take<WriteJob>().pieces == Pieces{4, 5});

    CacheDriver big({24_MiB, 8_MiB, 1_MiB});
    big.verify_piece(0);
    big.verify_piece(1);
    CHECK(big.take<WriteJob>().pieces == Pieces{0});
}

TEST_CASE("piece cache: writes go up the device and begin again at its start, as an elevator")
{
    CacheDriver driver(one_chunk_pieces);
    driver.complete_piece(4);
    for (const std::uint32_t piece : {1, 7, 3, 5}) {
        driver.verify_piece(piece);
    }
    CHECK(driver.take<WriteJob>().pieces == Pieces{5});
    driver.verify_piece(6);
    CHECK(driver.take<WriteJob>().pieces == Pieces{6, 7});
    CHECK(driver.take<WriteJob>().pieces == Pieces{1});
    driver.verify_piece(0);
    CHECK(driver.take<WriteJob>().pieces == Pieces{3});
    CHECK(driver.take<WriteJob>().pieces == Pieces{0});
}

TEST_CASE("piece cache: where the payload's order is not the device's, writes go by the device's")
{
    Image image; // pieces 0 and 1 lie behind 2 and 3
    image.piece_length = 1_MiB;
    image.hashes.resize(4);
    image.map = ExtentMap({{8_MiB, 2_MiB}, {1_MiB, 2_MiB}});
    CacheDriver::Setup setup{4_MiB, 1_MiB, 1_MiB};
    setup.write_order = WriteOrder(image);
    CacheDriver driver(setup);
    for (const std::uint32_t piece : {1, 2, 0}) {
        driver.verify_piece(piece);
    }
    CHECK(driver.take<WriteJob>().pieces == Pieces{2});
    driver.verify_piece(3);
    CHECK(driver.take<WriteJob>().pieces == Pieces{3, 0, 1});
}

TEST_CASE("piece cache: reads come first, then wanted hashes, then writes, then prefixes")
{
    CacheDriver driver(one_chunk_pieces);
    driver.cache.set_on_disk(0);
    driver.verify_piece(1);
    driver.receive_piece(2);
    REQUIRE(driver.cache.want_hash(2));
    driver.receive_blocks(192, 20);
    REQUIRE(driver.cache.find(0, 16_KiB).what == PieceCache::Read::wait);
    CHECK(driver.cache.has_job());
    (void)driver.take<ReadJob>();
    CHECK(driver.take<HashJob>().piece == 2);
    CHECK(driver.take<WriteJob>().pieces == Pieces{1});
    CHECK(driver.take<HashJob>().piece == 3);
    CHECK_FALSE(driver.next());
    CHECK_FALSE(driver.cache.has_job());
}

TEST_CASE("piece cache: when memory is short, each read is followed by a write if there is one")
{
    CacheDriver driver({8_MiB, 1_MiB, 1_MiB, 64, 8, 1});
    for (const std::uint32_t piece : {5, 6, 7}) {
        driver.cache.set_on_disk(piece);
    }
    driver.verify_piece(1);
    driver.verify_piece(3);
    for (const std::uint64_t piece : {5, 6, 7}) {
        REQUIRE(driver.cache.find(piece * 1_MiB, 16_KiB).what == Read::wait);
    }
    CHECK(driver.take<ReadJob>().chunk == ChunkIndex{5});
    CHECK(driver.take<WriteJob>().pieces == Pieces{1});
    CHECK(driver.take<ReadJob>().chunk == ChunkIndex{6});
    CHECK(driver.take<ReadJob>(Writes::no).chunk == ChunkIndex{7});
    CHECK(driver.take<WriteJob>().pieces == Pieces{3});
    CHECK_FALSE(driver.next());
}

// Or pieces whose hash nobody gets to would hold the memory for ever, and nothing of them be written.
TEST_CASE("piece cache: when memory is short, each read is followed by a wanted hash, too, or by a flush")
{
    CacheDriver driver({8_MiB, 1_MiB, 1_MiB, 64, 8, 1});
    for (const std::uint32_t piece : {4, 5, 6, 7}) {
        driver.cache.set_on_disk(piece);
    }
    driver.receive_piece(1);
    REQUIRE(driver.cache.want_hash(1));
    (void)driver.receive(0);
    (void)driver.receive(2 * 64);
    for (const std::uint64_t piece : {4, 5, 6, 7}) {
        REQUIRE(driver.cache.find(piece * 1_MiB, 16_KiB).what == Read::wait);
    }
    CHECK(driver.take<ReadJob>().chunk == ChunkIndex{4});
    CHECK(driver.take<HashJob>().piece == 1);
    CHECK(driver.take<ReadJob>().chunk == ChunkIndex{5});
    CHECK(driver.take<WriteJob>().segments.size() == 1);
    CHECK(driver.take<ReadJob>().chunk == ChunkIndex{6});
    CHECK(driver.take<WriteJob>().segments.size() == 1);
    CHECK(driver.take<ReadJob>().chunk == ChunkIndex{7});
    CHECK_FALSE(driver.next());
}

TEST_CASE("piece cache: with memory to spare, a write waits for sixteen reads and no more")
{
    CacheDriver driver({4_MiB, 64_KiB, 64_KiB});
    for (std::uint32_t piece = 10; piece < 50; ++piece) {
        driver.cache.set_on_disk(piece);
    }
    driver.verify_piece(1);
    driver.verify_piece(3);
    for (std::uint64_t piece = 10; piece < 50; ++piece) {
        REQUIRE(driver.cache.find(piece * 64_KiB, 16_KiB).what == Read::wait);
    }
    for (const std::uint32_t written : {1, 3}) {
        for (int i = 0; i < 16; ++i) {
            (void)driver.take<ReadJob>();
        }
        CHECK(driver.take<WriteJob>().pieces == Pieces{written});
    }
    (void)driver.take<ReadJob>();
}

TEST_CASE("piece cache: while no more writers are wanted, verified pieces wait and hashing goes on")
{
    CacheDriver driver(one_chunk_pieces);
    driver.verify_piece(1);
    driver.receive_blocks(0, 20);
    (void)driver.take<HashJob>(Writes::no);
    CHECK_FALSE(driver.next(Writes::no));
    CHECK(driver.cache.has_job());
    (void)driver.take<WriteJob>();
}

TEST_CASE("piece cache: a last piece and a last block that are short")
{
    CacheDriver driver({2_MiB + 48_KiB + 1, 1_MiB, 1_MiB});
    driver.receive_blocks(128, 3);
    CHECK_FALSE(driver.cache.want_hash(2));
    driver.receive_blocks(131, 1); // one byte
    REQUIRE(driver.cache.want_hash(2));
    const auto hash = driver.take<HashJob>();
    CHECK(stretches(hash.segments) == Stretches{{2_MiB, 48_KiB + 1}});
    driver.finish(hash);
    const auto write = driver.take<WriteJob>();
    CHECK(stretches(write.segments) == Stretches{{2_MiB, 48_KiB + 1}});
    driver.finish(write);
    CHECK(driver.cache.done_bytes() == 48_KiB + 1);
    CHECK(driver.disk_is_right(2_MiB, 48_KiB + 1));
}

TEST_CASE("piece cache: a short last piece of less than a block")
{
    CacheDriver driver({32_KiB + 7, 16_KiB, 16_KiB});
    for (const std::uint32_t piece : {2, 0, 1}) {
        driver.receive_piece(piece);
        REQUIRE(driver.cache.want_hash(piece));
    }
    driver.run_all();
    CHECK(driver.cache.done_bytes() == 32_KiB + 7);
    CHECK(driver.disk == driver.payload);
}

TEST_CASE("piece cache: what is on the disk already counts as done")
{
    CacheDriver driver({2_MiB + 5, 1_MiB, 256_KiB});
    driver.cache.set_on_disk(0);
    CHECK(driver.cache.done_bytes() == 1_MiB);
    driver.cache.set_on_disk(2);
    CHECK(driver.cache.done_bytes() == 1_MiB + 5);
    CHECK(driver.receive(64) == Receive::copy);
    CHECK(driver.receive(128) == Receive::duplicate);
}

TEST_CASE("piece cache: a piece that is on the disk is hashed from there, and counts as done once")
{
    CacheDriver driver({4_MiB, 2_MiB, 1_MiB});
    driver.disk = driver.payload;
    driver.cache.set_on_disk(1);
    for (int round = 0; round < 2; ++round) {
        REQUIRE(driver.cache.want_hash(1));
        const auto job = driver.take<HashJob>();
        CHECK(job.last);
        CHECK(stretches(job.segments) == Stretches{blocks(128, 64), blocks(192, 64)});
        CHECK(job.segments.front().memory == nullptr);
        driver.finish(job);
        CHECK_FALSE(driver.next());
        CHECK(driver.cache.done_bytes() == 2_MiB);
    }
}

TEST_CASE("piece cache: a hash can be asked for again before the piece is written")
{
    CacheDriver driver(one_chunk_pieces);
    driver.verify_piece(0);
    REQUIRE(driver.cache.want_hash(0));
    const auto again = driver.take<HashJob>();
    CHECK(again.last);
    CHECK(stretches(again.segments) == Stretches{blocks(0, 64)});
    CHECK_FALSE(driver.next()); // until that is known
    driver.finish(again);
    const auto write = driver.take<WriteJob>();
    REQUIRE(driver.cache.want_hash(0));
    driver.finish(write);
    CHECK(driver.cache.done_bytes() == 0);
    driver.run_all();
    CHECK(driver.cache.done_bytes() == 1_MiB);
}

TEST_CASE("piece cache: a piece whose place on the disk has gone bad is not done, and is received again")
{
    CacheDriver driver({4_MiB, 2_MiB, 1_MiB});
    driver.cache.set_on_disk(0); // but there is nothing
    REQUIRE(driver.cache.want_hash(0));
    driver.run_all();
    CHECK(driver.cache.done_bytes() == 0);
    CHECK(driver.cache.clear(0));
    driver.complete_piece(0);
    CHECK(driver.cache.done_bytes() == 2_MiB);
    CHECK(driver.disk_is_right(0, 2_MiB));
}

} // namespace ezio

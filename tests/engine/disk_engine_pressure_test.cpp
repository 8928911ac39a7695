// SPDX-License-Identifier: GPL-2.0-or-later
//
// The disk engine with less memory than data: who waits, for how long, and that all of it ends.
#include "ezio/engine/disk_engine.hpp"

#include "fake_peers.hpp"

namespace ezio {

using test::AnswerPtr;
using test::comes_true;
using test::EngineRig;
using test::FakePeers;
using Data = EngineRig::Data;
using Operation = IoFailure::Operation;

TEST_CASE("disk engine: writes are held when received data fills seven eighths of the memory")
{
    EngineRig rig({}); // 128 slabs, each a piece
    rig.target.write_gate.close();
    std::vector<AnswerPtr> writes;
    for (std::uint64_t block = 0; block < 111; ++block) {
        writes.push_back(rig.write(block));
        CHECK_FALSE(writes.back()->held);
    }
    REQUIRE(rig.all_come());
    for (std::uint64_t block = 111; block < 140; ++block) {
        writes.push_back(rig.write(block));
        CHECK(writes.back()->held);
    }
    rig.network.run_posted();
    CHECK(writes[111]->calls == 0);
    CHECK(rig.engine().facts().held_bytes == 140 * 16_KiB);

    rig.target.write_gate.open(); // flushes down to three quarters
    REQUIRE(rig.all_come());
    for (const AnswerPtr& write : writes) {
        CHECK(write->error == 0);
        CHECK(write->resumes == (write->held ? 1 : 0));
    }
    CHECK_FALSE(rig.write(200)->held);
}

TEST_CASE("disk engine: a hold ends at three quarters of the memory, not before")
{
    EngineRig::Setup setup;
    setup.threads = 1;
    EngineRig rig(setup);
    rig.target.write_gate.close();
    std::vector<AnswerPtr> held;
    for (std::uint64_t block = 0; block < 115; ++block) {
        const auto write = rig.write(block);
        if (write->held) {
            held.push_back(write);
        }
    }
    REQUIRE(held.size() == 4);
    for (std::size_t written = 1; written <= 19; ++written) { // a piece, 16 KiB, at a time
        rig.network.run_posted();
        CHECK(held[0]->calls == 0);
        rig.target.write_gate.let_through(1);
        REQUIRE(comes_true([&] { return rig.engine().facts().held_bytes == (115 - written) * 16_KiB; }));
    }
    REQUIRE(rig.all_come());
    for (const AnswerPtr& write : held) {
        CHECK(write->calls == 1);
        CHECK(write->resumes == 1);
    }
}

TEST_CASE("disk engine: clearing a piece answers its held writes first")
{
    EngineRig rig({});
    rig.target.write_gate.close();
    std::vector<AnswerPtr> writes;
    for (std::uint64_t block = 0; block < 130; ++block) {
        writes.push_back(rig.write(block));
    }
    CHECK(writes.back()->held);
    const auto cleared = rig.clear(129);
    REQUIRE(rig.comes(cleared));
    for (const AnswerPtr& write : writes) {
        CHECK(write->calls == 1);
        CHECK(write->place < cleared->place);
    }
}

TEST_CASE("disk engine: the clearing of a piece that is being flushed is answered when that has ended")
{
    EngineRig rig({.piece_length = 4_MiB, .threads = 1});
    rig.target.write_gate.close();
    for (std::uint64_t block = 0; block < 100; ++block) {
        (void)rig.write(block);
    }
    REQUIRE(rig.target.write_gate.wait_for_waiting(1));
    const auto cleared = rig.clear(0);
    rig.network.run_posted();
    CHECK(cleared->calls == 0);
    rig.target.write_gate.open();
    REQUIRE(rig.comes(cleared));
    const auto read = rig.read(0, 16_KiB);
    REQUIRE(rig.comes(read));
    CHECK(read->error == ENODATA);
    CHECK(rig.engine().facts().held_bytes == 0);
}

TEST_CASE("disk engine: a piece larger than the memory is flushed, read back for its hash, and good")
{
    EngineRig rig({.piece_length = 8_MiB}); // of which 2 fit
    for (std::uint64_t left = 512; left > 0; --left) {
        const auto write = rig.write(left - 1);
        if (write->held) {
            REQUIRE(rig.comes(write));
        }
    }
    const auto hash = rig.hash(0);
    REQUIRE(rig.comes(hash));
    CHECK(hash->digest == rig.image.hashes[0]);
    CHECK(comes_true([&] { return rig.wakes() == 1; }));
    CHECK(rig.engine().facts().read_bytes >= 6_MiB);
    CHECK(rig.engine().facts().written_bytes == 8_MiB);
    CHECK(rig.target_has(0, 8_MiB));
}

TEST_CASE("disk engine: a piece found bad after it was flushed is received again over it")
{
    EngineRig rig({.piece_length = 8_MiB});
    for (int round = 0; round < 2; ++round) {
        for (std::uint64_t block = 0; block < 512; ++block) {
            const auto write = rig.write(block, round == 0 && block == 3 ? Data::wrong : Data::right);
            if (write->held) {
                REQUIRE(rig.comes(write));
            }
        }
        const auto hash = rig.hash(0);
        REQUIRE(rig.comes(hash));
        CHECK((hash->digest == rig.image.hashes[0]) == (round == 1));
        if (round == 0) {
            CHECK(rig.engine().facts().done_bytes == 0);
            REQUIRE(rig.comes(rig.clear(0)));
        }
    }
    CHECK(comes_true([&] { return rig.wakes() == 1; }));
    CHECK(rig.engine().facts().failed_pieces == 1);
    CHECK(rig.target_has(0, 8_MiB));
}

TEST_CASE("disk engine: many big pieces in progress, in 32 MiB of memory, come to an end")
{
    for (const std::uint64_t piece_length : {16_MiB, 8_MiB}) {
        EngineRig::Setup setup{.piece_length = piece_length, .memory = 32_MiB};
        setup.extents = {{0, 64_MiB}};
        setup.device_size = 64_MiB;
        EngineRig rig(setup);
        FakePeers(rig, {}).run();
        CHECK(comes_true([&] { return rig.wakes() == 1; }));
        CHECK(rig.engine().facts().failed_pieces == 0);
        CHECK(rig.engine().facts().written_bytes == 64_MiB);
        CHECK(rig.target_has(0, 64_MiB));
    }
}

TEST_CASE("disk engine: a slow disk with one thread keeps its peers waiting, and all of it ends")
{
    EngineRig rig({.piece_length = 1_MiB, .threads = 1});
    rig.target.write_gate.close();
    std::atomic<bool> ended = false;
    std::thread slow_device([&] { // one call at a time
        while (!ended) {
            rig.target.write_gate.let_through(1);
            std::this_thread::yield();
        }
    });
    FakePeers(rig, {.peers = 4}).run();
    CHECK(comes_true([&] { return rig.wakes() == 1; }));
    ended = true;
    slow_device.join();
    CHECK(rig.target_has(0, 8_MiB));
}

namespace {

// Extents of odd sizes, in random order, some touching, about `bytes` in all.
std::vector<Extent> random_extents(std::uint64_t bytes, std::uint64_t count, std::mt19937_64& random)
{
    std::vector<Extent> extents;
    std::uint64_t offset = random() % 5000;
    for (std::uint64_t i = 0; i < count; ++i) {
        extents.push_back({offset, 1 + random() % (2 * bytes / count)});
        offset = extents.back().end() + (random() % 3 == 0 ? 0 : random() % 10'000);
    }
    std::shuffle(extents.begin(), extents.end(), random);
    return extents;
}

void deploy(std::uint64_t piece_length, std::uint64_t memory, std::uint64_t extents, std::uint64_t seed)
{
    CAPTURE(piece_length, memory, extents, seed);
    std::mt19937_64 random(seed);
    EngineRig::Setup setup{.piece_length = piece_length, .memory = memory};
    setup.extents = random_extents(8_MiB, extents, random);
    setup.device_size = ExtentMap(setup.extents).device_end() + 1000;
    EngineRig rig(setup);
    FakePeers peers(rig, {.peers = 5, .wrong_blocks = 3, .reads_per_block = 2, .seed = seed});
    peers.run();
    CHECK(comes_true([&] { return rig.engine().facts().done_bytes == rig.payload.size(); }));
    CHECK(peers.bad_pieces() >= 1);
    CHECK(rig.engine().facts().failed_pieces == peers.bad_pieces());
    CHECK_FALSE(rig.engine().failure());
    CHECK(rig.target_has(0, rig.payload.size()));
    CHECK(rig.rest_is_untouched());
}

} // namespace

TEST_CASE("disk engine: any image, in any order, with some of it wrong at first, is on the target in the end")
{
    for (const std::uint64_t seed : {1, 2}) {
        deploy(16_KiB, 2_MiB, 50, seed);
        deploy(256_KiB, 2_MiB, 1000, seed); // 16 KiB chunks
        deploy(256_KiB, 64_MiB, 7, seed);
        deploy(1_MiB, 4_MiB, 300, seed);
        deploy(16_MiB, 2_MiB, 20, seed); // one piece, larger than the memory
    }
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// The disk engine's answers while all goes well. Failures, and waiting for a slow disk, have files of their
// own.
#include "ezio/engine/disk_engine.hpp"

#include "engine_rig.hpp"

#include <cerrno>

namespace ezio {

using test::AnswerPtr;
using test::comes_true;
using test::EngineRig;
using test::same_bytes;
using Data = EngineRig::Data;
using Disk = EngineRig::Setup::Disk;
using Operation = IoFailure::Operation;

namespace {

// 8 pieces of 1 MiB; chunks of 16 KiB unless there is more memory.
EngineRig::Setup pieces_of_1_mib(std::uint64_t memory = 2_MiB)
{
    EngineRig::Setup setup;
    setup.piece_length = 1_MiB;
    setup.memory = memory;
    return setup;
}

constexpr std::uint64_t roomy = 128_MiB; // a chunk is a piece of 1 MiB

EngineRig::Setup complete_disk(std::uint64_t memory)
{
    EngineRig::Setup setup = pieces_of_1_mib(memory);
    setup.disk = Disk::complete;
    return setup;
}

} // namespace

TEST_CASE("disk engine: a piece is taken, hashed and written to its place, then the owner is woken")
{
    EngineRig rig({.piece_length = 8_MiB});
    rig.write_piece(0);
    const auto hash = rig.hash(0);
    REQUIRE(rig.all_come());
    CHECK(hash->error == 0);
    CHECK(hash->digest == rig.image.hashes[0]);
    CHECK(comes_true([&] { return rig.wakes() == 1; }));
    const auto facts = rig.engine().facts();
    CHECK(facts.done_bytes == 8_MiB);
    CHECK(facts.written_bytes == 8_MiB);
    CHECK(facts.held_bytes == 0);
    CHECK(facts.right_pieces == 1);
    CHECK(facts.failed_pieces == 0);
    CHECK_FALSE(rig.engine().failure());
    CHECK(rig.target_has(0, 8_MiB));
    CHECK(rig.rest_is_untouched());
}

TEST_CASE("disk engine: a verified piece is written with one call for each range of the device, and no other")
{
    EngineRig::Setup setup = pieces_of_1_mib();
    setup.extents = {{4_MiB, 700'001}, {4_MiB + 700'001, 348'575}, {0, 1_MiB - 512}, {9_MiB, 512}};
    EngineRig rig(setup);
    REQUIRE(rig.completes(0));
    REQUIRE(rig.completes(1));
    const auto calls = rig.target.calls(Operation::write);
    REQUIRE(calls.size() == 3);
    CHECK(calls[0].offset == 4_MiB);
    CHECK(calls[0].length == 1_MiB);
    CHECK(calls[1].length + calls[2].length == 1_MiB);
    CHECK(rig.target_has(0, rig.payload.size()));
    CHECK(rig.rest_is_untouched());
}

TEST_CASE("disk engine: write-back is started for what was written, and not for what was read")
{
    EngineRig rig(pieces_of_1_mib(roomy));
    REQUIRE(rig.completes(2));
    const auto calls = rig.target.calls(Operation::write_back);
    REQUIRE(calls.size() == 1);
    CHECK(calls[0].offset == 3_MiB);
    CHECK(calls[0].length == 1_MiB);

    EngineRig reader(complete_disk(roomy));
    REQUIRE(reader.comes(reader.read(0, 16_KiB)));
    CHECK(reader.target.calls(Operation::write_back).empty());
}

TEST_CASE("disk engine: a read sees what was written before, in memory and with nothing on the disk yet")
{
    EngineRig rig(pieces_of_1_mib());
    rig.target.write_gate.close();
    (void)rig.write(3);
    const auto read = rig.read(3 * 16_KiB + 10, 1000);
    REQUIRE(rig.comes(read));
    CHECK(rig.is_right(*read, 3 * 16_KiB + 10, 1000));
    const ReadBuffer data = rig.engine().try_read(3 * 16_KiB, 16_KiB);
    REQUIRE(data != nullptr);
    CHECK(same_bytes(data.get(), &rig.payload[3 * 16_KiB], 16_KiB));
    CHECK(rig.engine().try_read(4 * 16_KiB, 16_KiB) == nullptr);
    CHECK(rig.target.calls().empty());
}

TEST_CASE("disk engine: a read across chunks, one in memory and one on the disk, is put together")
{
    EngineRig::Setup setup = complete_disk(2_MiB);
    setup.extents = {{1_MiB, 300'000}, {5_MiB, 4_MiB}};
    EngineRig rig(setup);
    REQUIRE(rig.comes(rig.read(0, 1)));
    for (const std::uint64_t offset : {16_KiB - 5, 1_MiB - 7, std::uint64_t{300'000} - 8_KiB}) {
        const auto read = rig.read(offset, 16_KiB);
        REQUIRE(rig.comes(read));
        CHECK(rig.is_right(*read, offset, 16_KiB));
    }
}

TEST_CASE("disk engine: reads that are put together come in their order, and take turns with the others")
{
    EngineRig::Setup setup = complete_disk(2_MiB); // chunks of 16 KiB
    setup.threads = 1;
    EngineRig rig(setup);
    rig.target.read_gate.close();
    const auto first = rig.read(16_KiB - 5, 16_KiB); // across chunks, as are the next two
    REQUIRE(rig.target.read_gate.wait_for_waiting(1));
    const auto second = rig.read(1_MiB - 5, 16_KiB);
    const auto third = rig.read(2_MiB - 5, 16_KiB);
    const auto of_one_chunk = rig.read(4_MiB, 16_KiB);
    rig.target.read_gate.open();
    REQUIRE(rig.all_come());
    CHECK(first->place == 1);
    CHECK(of_one_chunk->place == 2);
    CHECK(second->place == 3);
    CHECK(third->place == 4);
}

TEST_CASE("disk engine: what was never received cannot be read")
{
    EngineRig rig(pieces_of_1_mib());
    (void)rig.write(0);
    const auto missing = rig.read(16_KiB, 16_KiB);
    const auto half_missing = rig.read(16_KiB - 10, 20);
    REQUIRE(rig.all_come());
    CHECK(missing->error == ENODATA);
    CHECK(missing->data == nullptr);
    CHECK(half_missing->error == ENODATA);
    CHECK(rig.target.calls().empty());
    CHECK_FALSE(rig.engine().failure()); // that is the peer's mistake
}

TEST_CASE("disk engine: many readers who wait for the same chunk cost one read of it")
{
    EngineRig rig(complete_disk(roomy));
    rig.target.read_gate.close();
    std::vector<AnswerPtr> reads;
    for (std::uint64_t block = 64; block < 128; ++block) {
        reads.push_back(rig.read(block * 16_KiB, 16_KiB));
    }
    REQUIRE(rig.target.read_gate.wait_for_waiting(1));
    reads.push_back(rig.read(64 * 16_KiB, 16_KiB));
    rig.target.read_gate.open();
    REQUIRE(rig.all_come());
    for (std::uint64_t i = 0; i < 64; ++i) {
        CHECK(rig.is_right(*reads[i], (64 + i) * 16_KiB, 16_KiB));
    }
    const auto calls = rig.target.calls();
    REQUIRE(calls.size() == 1);
    CHECK(calls[0].offset == 2_MiB);
    CHECK(calls[0].length == 1_MiB);
    CHECK(rig.engine().facts().read_bytes == 1_MiB);
}

TEST_CASE("disk engine: a seeder with room for it reads the image once, whatever order its peers ask in")
{
    EngineRig rig(complete_disk(roomy));
    for (std::uint64_t i = 0; i < 512; ++i) {
        for (const std::uint64_t peer : {1, 3, 7}) {
            (void)rig.read((i * peer * 37 + peer * 100) % 512 * 16_KiB, 16_KiB);
        }
    }
    REQUIRE(rig.all_come());
    CHECK(rig.engine().facts().read_bytes == 8_MiB);
    CHECK(rig.target.calls().size() == 8);
}

TEST_CASE("disk engine: readers who hold all the memory are served past it, and that is counted")
{
    EngineRig rig(complete_disk(2_MiB)); // 128 slabs of 16 KiB
    std::vector<AnswerPtr> held;
    for (std::uint64_t block = 0; block < 512; ++block) {
        held.push_back(rig.read(block * 16_KiB, 16_KiB));
    }
    REQUIRE(rig.all_come());
    for (std::uint64_t block = 0; block < 512; ++block) {
        CHECK(rig.is_right(*held[block], block * 16_KiB, 16_KiB));
    }
    CHECK(rig.engine().facts().read_bytes == 8_MiB);
}

TEST_CASE("disk engine: a hash of a piece that was not received whole is refused")
{
    EngineRig rig(pieces_of_1_mib());
    (void)rig.write(0);
    const auto hash = rig.hash(0);
    REQUIRE(rig.comes(hash));
    CHECK(hash->error == ECANCELED); // the only one that libtorrent goes on after
}

TEST_CASE("disk engine: a piece that is on the target is hashed from there")
{
    EngineRig rig(complete_disk(2_MiB));
    const auto hash = rig.hash(3);
    REQUIRE(rig.comes(hash));
    CHECK(hash->error == 0);
    CHECK(hash->digest == rig.image.hashes[3]);
    CHECK(rig.engine().facts().done_bytes == 8_MiB);
    CHECK(rig.engine().facts().read_bytes == 1_MiB);
}

TEST_CASE("disk engine: a piece that the target turns out to hold is taken for received without a look at it")
{
    EngineRig rig(pieces_of_1_mib());
    std::memcpy(&rig.target.bytes()[3_MiB], &rig.payload[2_MiB], 1_MiB);
    rig.target.read_gate.close();
    rig.engine().keep(2);
    CHECK(rig.engine().facts().done_bytes == 1_MiB);
    for (std::uint64_t block = 2 * 64; block < 3 * 64; ++block) {
        CHECK_FALSE(rig.write(block, Data::wrong)->held);
    }
    const auto hash = rig.hash(2);
    REQUIRE(rig.all_come());
    CHECK(hash->error == 0);
    CHECK(hash->digest == rig.image.hashes[2]);
    CHECK(hash->place == 65); // after those of the writes, or libtorrent would take the piece for unwritten
    CHECK(rig.engine().facts().held_bytes == 0);
    CHECK(rig.engine().facts().written_bytes == 0);
    CHECK(rig.engine().facts().done_bytes == 1_MiB);
    CHECK(rig.target.calls(Operation::read).empty());
    rig.target.read_gate.open();
    const auto read = rig.read(2_MiB + 100, 1000);
    REQUIRE(rig.comes(read));
    CHECK(rig.is_right(*read, 2_MiB + 100, 1000));
}

TEST_CASE(
    "disk engine: only the first hash of a kept piece is believed, and the other pieces are received as ever")
{
    EngineRig rig(pieces_of_1_mib());
    rig.engine().keep(2); // which is not so
    REQUIRE(rig.comes(rig.hash(2)));
    const auto hash = rig.hash(2);
    REQUIRE(rig.comes(hash));
    CHECK(hash->digest != rig.image.hashes[2]);
    REQUIRE(rig.completes(1));
    REQUIRE(rig.completes(3));
    CHECK(rig.target_has(1_MiB, 1_MiB));
    CHECK(rig.target_has(3_MiB, 1_MiB));
}

TEST_CASE("disk engine: what was received and what was kept make it complete together")
{
    EngineRig rig(pieces_of_1_mib());
    for (std::uint32_t piece = 0; piece < 7; ++piece) {
        rig.engine().keep(piece);
    }
    REQUIRE(rig.completes(7));
    CHECK(comes_true([&] { return rig.wakes() == 1; }));
    CHECK(rig.engine().facts().done_bytes == 8_MiB);
    CHECK(rig.engine().facts().written_bytes == 1_MiB);
}

TEST_CASE("disk engine: everybody who asks for a piece's hash is told, also when it is asked for twice")
{
    EngineRig rig(pieces_of_1_mib());
    rig.target.write_gate.close();
    rig.write_piece(0);
    const auto first = rig.hash(0);
    const auto second = rig.hash(0);
    REQUIRE(rig.all_come());
    const auto third = rig.hash(0); // verified, and not written yet
    REQUIRE(rig.all_come());
    for (const auto& answer : {first, second, third}) {
        CHECK(answer->error == 0);
        CHECK(answer->digest == rig.image.hashes[0]);
    }
}

TEST_CASE("disk engine: bad data does not reach the target, cleared and sent again, the piece is good")
{
    EngineRig rig(pieces_of_1_mib());
    (void)rig.write(20, Data::wrong);
    rig.write_piece(0); // the wrong block is a duplicate now
    const auto bad = rig.hash(0);
    REQUIRE(rig.comes(bad));
    CHECK(bad->error == 0);
    CHECK(bad->digest != rig.image.hashes[0]);
    REQUIRE(rig.comes(rig.clear(0)));
    CHECK(rig.engine().facts().failed_pieces == 1);
    CHECK(rig.engine().facts().held_bytes == 0);
    CHECK(rig.target.calls().empty());

    REQUIRE(rig.completes(0));
    CHECK(rig.target_has(0, 1_MiB));
}

TEST_CASE("disk engine: clearing a piece whose hash is awaited answers both, the hash first")
{
    EngineRig rig(pieces_of_1_mib());
    for (std::uint32_t piece = 0; piece < 8; ++piece) {
        (void)rig.write(piece * 64, Data::wrong);
        rig.write_piece(piece);
        const auto hash = rig.hash(piece);
        const auto cleared = rig.clear(piece);
        REQUIRE(rig.comes(cleared));
        CHECK(hash->calls == 1);
        CHECK(hash->place < cleared->place);
        CHECK((hash->error == ECANCELED || hash->digest != Sha1Digest{}));
        const auto read = rig.read(rig.image.piece_offset(piece), 16_KiB);
        REQUIRE(rig.comes(read));
        CHECK(read->error == ENODATA);
    }
}

TEST_CASE("disk engine: what a peer still sends is not changed by clearing its piece and filling it again")
{
    EngineRig rig(pieces_of_1_mib());
    (void)rig.write(0, Data::wrong);
    const auto read = rig.read(0, 16_KiB);
    REQUIRE(rig.comes(read));
    const std::vector<std::byte> before(read->data.get(), read->data.get() + 16_KiB);
    REQUIRE(rig.comes(rig.clear(0)));
    for (std::uint32_t piece = 0; piece < 8; ++piece) {
        REQUIRE(rig.completes(piece));
    }
    CHECK(same_bytes(read->data.get(), before.data(), 16_KiB));
    rig.free(*read); // after its piece was cleared
    CHECK(rig.target_has(0, 8_MiB));
}

TEST_CASE("disk engine: buffers are given back by another thread while reads go on")
{
    EngineRig rig(complete_disk(2_MiB));
    std::mutex mutex;
    std::vector<ReadBuffer> to_free; // guarded by mutex, as is the next
    bool last = false;
    std::thread other([&] {
        for (bool ended = false; !ended; std::this_thread::yield()) {
            const std::lock_guard lock(mutex);
            ended = last;
            to_free.clear();
        }
    });
    for (std::uint64_t round = 0; round < 20; ++round) {
        std::vector<AnswerPtr> reads;
        for (std::uint64_t i = 0; i < 100; ++i) {
            reads.push_back(rig.read((round * 100 + i * 7) % 511 * 16_KiB + 100 * (i % 2), 16_KiB));
        }
        CHECK(rig.all_come());
        const std::lock_guard lock(mutex);
        for (const AnswerPtr& read : reads) {
            CHECK(read->error == 0);
            to_free.push_back(std::move(read->data));
        }
    }
    {
        const std::lock_guard lock(mutex);
        last = true;
    }
    other.join();
}

TEST_CASE("disk engine: an answer of the caller's own comes after those given before")
{
    EngineRig rig(pieces_of_1_mib());
    const auto write = rig.write(0);
    int writes_before = 0;
    bool came = false;
    rig.engine().answer([&] {
        writes_before = write->calls;
        came = true;
    });
    CHECK_FALSE(came);
    REQUIRE(rig.network.run_until([&] { return came; }));
    CHECK(writes_before == 1);
}

TEST_CASE("disk engine: duplicates are answered and change nothing")
{
    EngineRig rig(pieces_of_1_mib());
    rig.write_piece(0);
    const auto again = rig.write(5, Data::wrong);
    REQUIRE(rig.comes(rig.hash(0)));
    const auto after = rig.write(6, Data::wrong);
    REQUIRE(rig.all_come());
    CHECK(again->error == 0);
    CHECK(after->error == 0);
    CHECK(comes_true([&] { return rig.engine().facts().done_bytes == 1_MiB; }));
    CHECK(rig.target_has(0, 1_MiB));
}

TEST_CASE("disk engine: what has to be read back for a hash is read in steps, each from its place")
{
    EngineRig::Setup setup;
    setup.piece_length = 1_MiB;
    setup.memory = 128_MiB;
    setup.disk = EngineRig::Setup::Disk::complete;
    EngineRig rig(setup);
    const auto hash = rig.hash(2);
    REQUIRE(rig.comes(hash));
    CHECK(hash->digest == rig.image.hashes[2]);
    std::uint64_t at = 3_MiB;
    for (const auto& call : rig.target.calls(IoFailure::Operation::read)) {
        CHECK(call.offset == at);
        at += call.length;
    }
    CHECK(at == 4_MiB);
    CHECK(rig.target.calls(IoFailure::Operation::read).size() == 4);
}

TEST_CASE(
    "disk engine: a hybrid's piece is good when both of its hashes are, and it is told that they disagree")
{
    EngineRig::Setup setup{.extents = {{1_MiB, 48_KiB}}};
    const auto payload = test::random_payload(ExtentMap(setup.extents));
    for (std::uint64_t at = 0; at < payload.size(); at += 16_KiB) {
        Sha256Blocks sha256(16_KiB);
        sha256.update(std::span(payload).subspan(at, 16_KiB));
        setup.v2_pieces.push_back({sha256.digests().front(), 16_KiB, 1});
    }
    setup.v2_pieces[1].root->back() ^= 1;
    setup.v2_pieces[2].root.reset();
    EngineRig rig(setup);
    REQUIRE(rig.completes(0));
    REQUIRE(rig.completes(2)); // of which SHA-256 is not known
    CHECK_FALSE(rig.engine().facts().hashes_disagree);
    rig.write_piece(1);
    const AnswerPtr answer = rig.hash(1);
    REQUIRE(rig.comes(answer));
    CHECK(answer->digest == Sha1Digest{}); // no more right than the other
    CHECK(rig.engine().facts().hashes_disagree);
    CHECK(rig.engine().facts().failed_pieces == 1);
    CHECK(rig.target.calls(IoFailure::Operation::write).size() == 2);
}

} // namespace ezio

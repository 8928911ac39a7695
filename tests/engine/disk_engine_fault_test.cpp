// SPDX-License-Identifier: GPL-2.0-or-later
//
// The disk engine when the target fails, when memory is short, and when it is stopped in the middle.
#include "ezio/engine/disk_engine.hpp"

#include "engine_rig.hpp"

#include <cerrno>
#include <csignal>
#include <new>

#include <sys/mman.h>

namespace ezio {

using test::AnswerPtr;
using test::comes_true;
using test::EngineRig;
using test::FakeTarget;
using Data = EngineRig::Data;
using Disk = EngineRig::Setup::Disk;
using Operation = IoFailure::Operation;

namespace {

EngineRig::Setup pieces_of_1_mib(Disk disk = Disk::empty)
{
    EngineRig::Setup setup;
    setup.piece_length = 1_MiB;
    setup.memory = 128_MiB;
    setup.disk = disk;
    return setup;
}

// A block's worth of memory that can be read only after a function, which is called at the first attempt, has
// returned: so that something can happen while the engine copies it. One at a time.
class SlowMemory {
  public:
    explicit SlowMemory(std::function<void()> meanwhile)
    {
        s_meanwhile = std::move(meanwhile);
        s_memory = ::mmap(nullptr, block_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        struct sigaction action {};
        action.sa_handler = [](int) {
            std::exchange(s_meanwhile, [] { std::abort(); })(); // a second fault is none of ours
            (void)::mprotect(s_memory, block_bytes, PROT_READ);
        };
        if (s_memory == MAP_FAILED || ::sigaction(SIGSEGV, &action, &m_before) != 0) {
            throw std::bad_alloc();
        }
    }
    SlowMemory(const SlowMemory&) = delete;
    SlowMemory& operator=(const SlowMemory&) = delete;
    ~SlowMemory()
    {
        (void)::sigaction(SIGSEGV, &m_before, nullptr);
        (void)::munmap(s_memory, block_bytes);
    }
    [[nodiscard]] std::span<const std::byte> bytes() const
    {
        return {static_cast<const std::byte*>(s_memory), block_bytes};
    }

  private:
    static inline std::function<void()> s_meanwhile;
    static inline void* s_memory = nullptr;
    struct sigaction m_before {};
};

// Everything that can be asked for is refused with `error`, by answers.
void check_refusal(EngineRig& rig, int error)
{
    const auto write = rig.write(511);
    const auto read = rig.read(0, 16_KiB);
    const auto hash = rig.hash(0);
    const auto cleared = rig.clear(0);
    REQUIRE(rig.all_come());
    CHECK(write->error == error);
    CHECK_FALSE(write->held);
    CHECK(read->error == error);
    CHECK(read->data == nullptr);
    CHECK(hash->error == error);
    CHECK(cleared->calls == 1);
    CHECK(rig.engine().try_read(0, 16_KiB) == nullptr);
}

} // namespace

TEST_CASE("disk engine: the first failed write is kept, with what failed, and wakes the owner")
{
    for (const int error : {ENOSPC, EIO}) {
        EngineRig rig(pieces_of_1_mib());
        REQUIRE(rig.completes(0));
        rig.target.fail(Operation::write, 1, error);
        rig.write_piece(3);
        REQUIRE(rig.comes(rig.hash(3)));
        REQUIRE(comes_true([&] { return rig.wakes() == 1; }));
        const auto failure = rig.engine().failure();
        REQUIRE(failure);
        CHECK(failure->operation == Operation::write);
        CHECK(failure->path == "/dev/fake");
        CHECK(failure->offset == 4_MiB);
        CHECK(failure->length == 1_MiB);
        CHECK(failure->error == error);
        CHECK(rig.engine().facts().done_bytes == 1_MiB);
        CHECK(rig.engine().facts().written_bytes == 1_MiB);
        check_refusal(rig, EIO);
    }
}

TEST_CASE("disk engine: what a worker throws is a failure, and is thrown again to who asks")
{
    for (const Operation operation : {Operation::write, Operation::read}) {
        EngineRig rig(pieces_of_1_mib(operation == Operation::read ? Disk::complete : Disk::empty));
        rig.target.fail(operation, 1, FakeTarget::throws);
        if (operation == Operation::write) {
            rig.write_piece(3);
            REQUIRE(rig.comes(rig.hash(3)));
        } else {
            const auto read = rig.read(0, 16_KiB);
            REQUIRE(rig.comes(read));
            CHECK(read->error == EIO);
        }
        REQUIRE(comes_true([&] { return rig.wakes() == 1; }));
        CHECK(rig.engine().has_failed());
        CHECK_FALSE(rig.engine().failure());
        CHECK_THROWS_AS(rig.engine().throw_if_failed(), std::bad_alloc);
        CHECK(rig.engine().facts().writers == 0);
        check_refusal(rig, EIO);
    }
}

TEST_CASE("disk engine: a read from several places that throws is answered")
{
    EngineRig rig(pieces_of_1_mib(Disk::complete));
    rig.target.fail(Operation::read, 1, FakeTarget::throws);
    const auto read = rig.read(1_MiB - 8_KiB, 16_KiB);
    REQUIRE(rig.comes(read));
    CHECK(read->error == EIO);
    CHECK_THROWS_AS(rig.engine().throw_if_failed(), std::bad_alloc);
}

TEST_CASE("disk engine: after an I/O error what a worker throws changes nothing")
{
    EngineRig rig(pieces_of_1_mib());
    rig.target.write_gate.close();
    rig.target.fail(Operation::write, 1, ENOSPC);
    rig.write_piece(0);
    REQUIRE(rig.comes(rig.hash(0)));
    REQUIRE(rig.target.write_gate.wait_for_waiting(1));
    rig.target.fail(Operation::write, 1, FakeTarget::throws);
    rig.write_piece(5);
    REQUIRE(rig.comes(rig.hash(5)));
    REQUIRE(rig.target.write_gate.wait_for_waiting(2));
    rig.target.write_gate.open();
    REQUIRE(comes_true([&] { return rig.wakes() == 1; }));
    rig.stop();
    REQUIRE(rig.stopped().came());
    CHECK(rig.engine().has_failed());
    CHECK(rig.wakes() == 1);
}

TEST_CASE("disk engine: a failed write-back is a failure, and its piece is not done")
{
    EngineRig rig(pieces_of_1_mib());
    rig.target.fail(Operation::write_back, 1, EIO);
    rig.write_piece(3);
    REQUIRE(rig.comes(rig.hash(3)));
    REQUIRE(comes_true([&] { return rig.wakes() == 1; }));
    CHECK(rig.engine().failure()->operation == Operation::write_back);
    CHECK(rig.engine().facts().done_bytes == 0);
}

TEST_CASE("disk engine: after a failure nothing more is written, and the first error is the one that stays")
{
    EngineRig::Setup setup = pieces_of_1_mib();
    setup.threads = 2; // one writer
    EngineRig rig(setup);
    rig.target.write_gate.close();
    rig.target.fail(Operation::write, 2, EIO);
    for (const std::uint32_t piece : {0, 2, 4, 6, 7}) { // apart, but for the last
        rig.write_piece(piece);
        REQUIRE(rig.comes(rig.hash(piece)));
    }
    rig.target.write_gate.open();
    REQUIRE(comes_true([&] { return rig.engine().failure().has_value(); }));
    check_refusal(rig, EIO);
    rig.stop();
    REQUIRE(rig.stopped().came());
    CHECK(rig.target.calls(Operation::write).size() == 2);
    CHECK(rig.engine().facts().done_bytes == 1_MiB);
    CHECK(rig.wakes() == 1);
}

TEST_CASE("disk engine: two writes that fail at once are one failure")
{
    EngineRig rig(pieces_of_1_mib());
    rig.target.write_gate.close();
    rig.target.fail(Operation::write, 1, ENOSPC);
    rig.write_piece(0);
    REQUIRE(rig.comes(rig.hash(0)));
    REQUIRE(rig.target.write_gate.wait_for_waiting(1));
    rig.target.fail(Operation::write, 1, EIO);
    rig.write_piece(4);
    REQUIRE(rig.comes(rig.hash(4)));
    REQUIRE(rig.target.write_gate.wait_for_waiting(2));
    rig.target.write_gate.open();
    REQUIRE(comes_true([&] { return rig.wakes() == 1; }));
    const int first = rig.engine().failure()->error;
    rig.stop();
    REQUIRE(rig.stopped().came());
    CHECK(rig.engine().failure()->error == first);
    CHECK(rig.wakes() == 1);
}

TEST_CASE("disk engine: a target that is too short is a failure, not the end of the image")
{
    EngineRig::Setup setup = pieces_of_1_mib();
    setup.device_size = 8_MiB + 100; // one MiB less than it takes
    EngineRig rig(setup);
    rig.write_piece(7);
    REQUIRE(rig.comes(rig.hash(7)));
    REQUIRE(comes_true([&] { return rig.wakes() == 1; }));
    CHECK(rig.engine().failure()->error == ENOSPC);
    CHECK(rig.engine().failure()->offset == 8_MiB);
    CHECK(rig.engine().facts().done_bytes == 0);
}

TEST_CASE("disk engine: a failed read answers all who wait for it, and is the end")
{
    EngineRig rig(pieces_of_1_mib(Disk::complete));
    rig.target.read_gate.close();
    rig.target.fail(Operation::read, 1, EIO);
    std::vector<AnswerPtr> reads;
    for (std::uint64_t block = 0; block < 10; ++block) {
        reads.push_back(rig.read(block * 16_KiB, 16_KiB));
    }
    REQUIRE(rig.target.read_gate.wait_for_waiting(1)); // the one that fails
    reads.push_back(rig.read(5_MiB, 16_KiB));          // of another chunk
    REQUIRE(rig.target.read_gate.wait_for_waiting(2));
    rig.target.read_gate.let_through(2);
    REQUIRE(rig.all_come());
    for (std::size_t i = 0; i < 10; ++i) {
        CHECK(reads[i]->error == EIO);
        CHECK(reads[i]->data == nullptr);
    }
    const auto failure = rig.engine().failure();
    REQUIRE(failure);
    CHECK(failure->operation == Operation::read);
    CHECK((failure->offset == 1_MiB || failure->offset == 6_MiB));
    check_refusal(rig, EIO);
}

TEST_CASE("disk engine: a failed read of what goes past the cache is the end, too")
{
    EngineRig rig(pieces_of_1_mib(Disk::complete));
    rig.target.fail(Operation::read, 1, EIO);
    const auto read = rig.read(1_MiB - 10, 20);
    REQUIRE(rig.comes(read));
    CHECK(read->error == EIO);
    REQUIRE(comes_true([&] { return rig.wakes() == 1; }));
    CHECK(rig.engine().failure()->operation == Operation::read);
}

TEST_CASE("disk engine: when the hash cannot read back what was flushed, that is a failure, not a bad piece")
{
    EngineRig rig(pieces_of_1_mib(Disk::complete));
    rig.target.fail(Operation::read, 1, EIO);
    const auto hash = rig.hash(2);
    REQUIRE(rig.comes(hash));
    CHECK(hash->error == EIO);
    CHECK(rig.engine().facts().failed_pieces == 0);
    REQUIRE(rig.engine().failure());
    CHECK(rig.engine().failure()->offset == 3_MiB);
}

TEST_CASE(
    "disk engine: writes that are held when the disk fails are answered, and their peers go on to hear it")
{
    EngineRig::Setup setup; // 128 slabs, each a piece
    setup.threads = 1;
    EngineRig rig(setup);
    rig.target.write_gate.close();
    rig.target.fail(Operation::write, 1, EIO);
    std::vector<AnswerPtr> writes;
    do {
        writes.push_back(rig.write(writes.size()));
    } while (!writes.back()->held);
    writes.push_back(rig.write(writes.size()));
    CHECK(writes.back()->held);
    rig.target.write_gate.open();
    REQUIRE(rig.all_come());
    for (const AnswerPtr& write : writes) {
        CHECK(write->error == (write->held ? EIO : 0));
    }
}

TEST_CASE("disk engine: a block that is being copied when the disk fails is answered, and not held")
{
    EngineRig::Setup setup;
    setup.threads = 1;
    EngineRig rig(setup);
    rig.target.write_gate.close();
    rig.target.fail(Operation::write, 1, EIO);
    for (std::uint64_t block = 0; block < 111; ++block) { // the next one will be held
        (void)rig.write(block);
    }
    REQUIRE(rig.target.write_gate.wait_for_waiting(1));
    const SlowMemory slow([&] {
        rig.target.write_gate.open();
        while (rig.wakes() == 0) {
            std::this_thread::yield();
        }
    });
    const auto write = rig.write_bytes(111 * 16_KiB, slow.bytes());
    CHECK_FALSE(write->held);
    REQUIRE(rig.all_come());
    CHECK(write->error == EIO);
}

TEST_CASE("disk engine: whichever call fails, everything is answered without a stop")
{
    for (const auto operation : {Operation::write, Operation::write_back, Operation::read}) {
        for (const std::size_t nth : {1, 3, 9, 27}) {
            EngineRig rig({.piece_length = 4_MiB});
            rig.target.fail(operation, nth, EIO);
            for (std::uint64_t i = 0; i < 512; ++i) {
                const std::uint64_t block = i * 37 % 512;
                (void)rig.write(block);
                (void)rig.read(block * 16_KiB + 1, 16_KiB - 1);
                if (i % 50 == 49) {
                    (void)rig.hash(0);
                }
            }
            (void)rig.hash(0);
            (void)rig.clear(1);
            REQUIRE(rig.all_come());
        }
    }
}

TEST_CASE("disk engine: received blocks beyond all memory are refused, and the rest goes on")
{
    EngineRig::Setup setup{.piece_length = 64_KiB, .memory = 8_MiB, .threads = 1};
    setup.extents = {{0, 80_MiB}};
    setup.device_size = 80_MiB;
    EngineRig rig(setup);
    rig.target.write_gate.close();
    for (std::uint64_t piece = 0; piece < 128 + 1024; ++piece) { // 64 MiB more than there should be
        (void)rig.write(piece * 4);
    }
    const auto refused = rig.write(5000);
    CHECK_FALSE(refused->held);
    REQUIRE(rig.comes(refused));
    CHECK(refused->error == ENOMEM);
    CHECK_FALSE(rig.engine().failure());
    REQUIRE(rig.comes(rig.clear(100)));
    const auto accepted = rig.write(5000);
    rig.target.write_gate.open();
    REQUIRE(rig.all_come());
    CHECK(accepted->error == 0);
}

TEST_CASE("disk engine: stopped while it reads, hashes and writes, it answers everything at once")
{
    EngineRig::Setup setup = pieces_of_1_mib();
    EngineRig rig(setup);
    REQUIRE(rig.completes(0));
    rig.target.write_gate.close();
    rig.write_piece(1);
    REQUIRE(rig.comes(rig.hash(1)));
    REQUIRE(rig.target.write_gate.wait_for_waiting(1));
    rig.write_piece(2);
    const auto hash = rig.hash(2);
    rig.stop();
    REQUIRE(rig.all_come()); // though the disk still stands still
    CHECK((hash->error == ECANCELED || hash->digest == rig.image.hashes[2]));
    CHECK_FALSE(rig.stopped().has_come());
    check_refusal(rig, ECANCELED);
    rig.target.write_gate.open();
    CHECK(rig.stopped().came());
    CHECK(rig.target_has(1_MiB, 1_MiB)); // what had begun was finished
}

TEST_CASE("disk engine: stopped while readers wait, it answers them, and their reads may end later")
{
    EngineRig rig(pieces_of_1_mib(Disk::complete));
    rig.target.read_gate.close();
    std::vector<AnswerPtr> reads;
    for (std::uint64_t chunk = 0; chunk < 8; ++chunk) {
        reads.push_back(rig.read(chunk * 1_MiB, 16_KiB));
        reads.push_back(rig.read(chunk * 1_MiB + 16_KiB, 16_KiB));
    }
    reads.push_back(rig.read(1_MiB - 100, 200)); // across chunks
    REQUIRE(rig.target.read_gate.wait_for_waiting(4));
    rig.stop();
    rig.network.run_posted();
    for (const AnswerPtr& read : reads) {
        const bool waits_for_the_disk = read == reads.back() && read->calls == 0;
        CHECK((waits_for_the_disk || (read->calls == 1 && read->error == ECANCELED)));
    }
}

TEST_CASE("disk engine: a clear that waits for a write is answered when the engine is stopped")
{
    EngineRig rig(pieces_of_1_mib());
    rig.target.write_gate.close();
    rig.write_piece(1);
    REQUIRE(rig.comes(rig.hash(1)));
    REQUIRE(rig.target.write_gate.wait_for_waiting(1));
    const auto cleared = rig.clear(1);
    rig.network.run_posted();
    CHECK(cleared->calls == 0); // its bytes are on their way
    rig.stop();
    CHECK(rig.comes(cleared));
}

TEST_CASE("disk engine: destroyed without a stop, it ends what is under way and goes")
{
    const test::EngineRig::Setup setup = pieces_of_1_mib();
    const auto payload = test::random_bytes(8_MiB, 1);
    const Image image = test::image_with(setup.extents, setup.piece_length, payload);
    test::FakeTarget target(setup.device_size);
    test::Network network;
    int answers = 0;
    {
        DiskEngine engine(image, target, {}, {setup.memory, 2, network.post(), {}});
        for (std::uint64_t at = 0; at < 1_MiB; at += 16_KiB) {
            (void)engine.write(at, std::span(payload).subspan(at, 16_KiB), [&](int) { ++answers; }, {});
        }
        engine.hash(0, [](int, const PieceDigests&) {});
    }
    network.run_posted();
    CHECK(answers == 64);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "compression/unit_workers.hpp"

#include "catch.hpp"
#include "deadline.hpp"

#include <atomic>
#include <condition_variable>
#include <random>

namespace ezio {

namespace {

// Counts the buffers that were not given back.
struct Rig final : BufferOwner {
    std::atomic<int> out = 0;
    std::mutex mutex;
    std::condition_variable changed;
    int notified = 0;

    UnitWorkers::Options options()
    {
        return {2, [this] {
                    const std::lock_guard lock(mutex);
                    ++notified;
                    changed.notify_all();
                }};
    }

    void free_buffer(std::byte* data) override
    {
        delete[] data;
        --out;
    }

    PackJob job(std::uint32_t piece, bool dense = false)
    {
        std::mt19937 random(piece);
        ++out;
        auto* data = new std::byte[block_bytes];
        for (std::uint32_t i = 0; i < block_bytes; ++i) {
            data[i] = static_cast<std::byte>(dense ? random() : i / 64);
        }
        return {{piece, 0, block_bytes}, ReadBuffer(data, {this}), {}, {}};
    }

    std::vector<PackedUnit> wait_for(UnitWorkers& workers, std::size_t count)
    {
        std::vector<PackedUnit> all;
        std::unique_lock lock(mutex);
        while (all.size() < count) {
            REQUIRE(changed.wait_for(lock, test::deadline, [this] { return notified > 0; }));
            notified = 0;
            lock.unlock();
            for (PackedUnit& unit : workers.take_done()) {
                all.push_back(std::move(unit));
            }
            lock.lock();
        }
        return all;
    }
};

} // namespace

TEST_CASE("unit workers: every job comes back once, and its data when it was packed")
{
    Rig rig;
    UnitWorkers workers(rig.options());
    for (std::uint32_t piece = 0; piece < 100; ++piece) {
        workers.submit(rig.job(piece));
    }
    std::vector<bool> seen(100);
    for (const PackedUnit& unit : rig.wait_for(workers, 100)) {
        CHECK_FALSE(seen.at(unit.job.place.piece));
        seen.at(unit.job.place.piece) = true;
        CHECK(unit.job.data == nullptr);
        std::vector<char> data(block_bytes);
        CHECK(unpack(Codec::lz4, unit.packed, data));
    }
    CHECK(rig.out == 0);
}

TEST_CASE("unit workers: what does not shrink comes back with its data")
{
    Rig rig;
    UnitWorkers workers(rig.options());
    workers.submit(rig.job(1, true));
    const auto done = rig.wait_for(workers, 1);
    REQUIRE(done.size() == 1);
    CHECK(done[0].packed.empty());
    CHECK(done[0].job.data != nullptr);
    CHECK(rig.out == 1);
}

TEST_CASE("unit workers: what is taken back does not come as done")
{
    Rig rig;
    UnitWorkers workers(rig.options());
    constexpr std::size_t jobs = 200;
    for (std::uint32_t piece = 0; piece < jobs; ++piece) {
        workers.submit(rig.job(piece));
    }
    const std::size_t back = workers.take_back().size();
    CHECK(rig.wait_for(workers, jobs - back).size() == jobs - back);
    CHECK(workers.take_back().empty());
    CHECK(rig.out == 0);
}

TEST_CASE("unit workers: they are occupied also while a job waits for a thread that gets no processor")
{
    Rig rig;
    std::mutex processor; // whoever has it lets the one thread do nothing
    auto options = rig.options();
    options.threads = 1;
    options.notify = [&processor, notify = options.notify] {
        notify();
        const std::lock_guard lock(processor);
    };
    UnitWorkers workers(options);
    {
        const std::lock_guard lock(processor);
        workers.submit(rig.job(0));
        std::unique_lock notified(rig.mutex);
        REQUIRE(rig.changed.wait_for(notified, test::deadline, [&] { return rig.notified == 1; }));
        workers.submit(rig.job(1));
        const auto before = workers.occupied();
        const auto end = Clock::now() + milliseconds(1);
        while (Clock::now() < end) {
        }
        CHECK(workers.occupied() - before >= milliseconds(1));
    }
    (void)rig.wait_for(workers, 2);
    const auto idle = workers.occupied();
    CHECK(workers.occupied() == idle);
}

TEST_CASE("unit workers: when they stop everything is given back, and what comes later, too")
{
    Rig rig;
    {
        UnitWorkers workers(rig.options());
        for (std::uint32_t piece = 0; piece < 50; ++piece) {
            workers.submit(rig.job(piece, piece % 2 == 0));
        }
        workers.stop();
        CHECK(rig.out == 0);
        CHECK(workers.take_done().empty());
        workers.submit(rig.job(7));
        CHECK(rig.out == 0);
        workers.stop();
    }
    CHECK(rig.out == 0);
}

} // namespace ezio

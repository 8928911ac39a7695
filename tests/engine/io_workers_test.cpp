// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/engine/io_workers.hpp"

#include "deadline.hpp"

#include <set>

namespace ezio {

using test::Notice;

namespace {

// Work for the threads: a number of steps, each of which runs `during` without the mutex.
struct Work {
    Mutex mutex;
    int left = 0; // guarded by mutex, as are the next two
    int done = 0;
    std::set<std::thread::id> threads;
    std::function<void()> during = [] {};

    bool step() REQUIRES(mutex)
    {
        if (left == 0) {
            return false;
        }
        --left;
        {
            const MutexUnlock unlocked(mutex);
            during();
        }
        ++done;
        threads.insert(std::this_thread::get_id());
        return true;
    }

    [[nodiscard]] IoWorkers::Step steps()
    {
        return [this] {
            mutex.assert_held();
            return step();
        };
    }

    void give(IoWorkers& workers, int count)
    {
        const MutexLock lock(mutex);
        left += count;
        for (int i = 0; i < count; ++i) {
            workers.wake();
        }
    }
    [[nodiscard]] int steps_done()
    {
        const MutexLock lock(mutex);
        return done;
    }
};

} // namespace

TEST_CASE("workers: what was there before them is done without a wake")
{
    Work work;
    work.left = 10;
    Notice all_done;
    work.during = [&, remaining = std::make_shared<std::atomic<int>>(10)] {
        if (--*remaining == 0) {
            all_done.give();
        }
    };
    IoWorkers workers(2, work.mutex, work.steps());
    CHECK(all_done.came());
}

TEST_CASE("workers: idle threads are woken for new work, as many as there is work for")
{
    Work work;
    test::Gate gate;
    work.during = [&] { gate.pass(); };
    IoWorkers workers(3, work.mutex, work.steps());
    work.give(workers, 3);
    CHECK(gate.wait_for_waiting(3)); // all three at once
    gate.open();
    for (int round = 0; round < 100; ++round) {
        work.give(workers, 1);
    }
    CHECK(test::comes_true([&] { return work.steps_done() == 103; }));
}

TEST_CASE(
    "workers: stop lets a step that is under way end, begins no other, and says when the last has ended")
{
    Work work;
    test::Gate gate;
    work.during = [&] { gate.pass(); };
    Notice ended;
    {
        IoWorkers workers(2, work.mutex, work.steps());
        work.give(workers, 5);
        REQUIRE(gate.wait_for_waiting(2));
        {
            const MutexLock lock(work.mutex);
            workers.stop([&] { ended.give(); });
        }
        CHECK_FALSE(ended.has_come());
        gate.open();
        CHECK(ended.came());
    }
    CHECK(work.done == 2);
    CHECK(work.left == 3);
}

TEST_CASE("workers: it is the last one to end who says so")
{
    Work work;
    test::Gate gate;
    work.during = [&] { gate.pass(); };
    Notice ended;
    std::thread::id where;
    IoWorkers workers(2, work.mutex, work.steps());
    work.give(workers, 2);
    REQUIRE(gate.wait_for_waiting(2));
    {
        const MutexLock lock(work.mutex);
        workers.stop([&] {
            where = std::this_thread::get_id();
            ended.give();
        });
    }
    gate.let_through(1);
    REQUIRE(test::comes_true([&] { return work.steps_done() == 1; }));
    const std::thread::id first = *work.threads.begin(); // the other one is at the gate
    gate.open();
    REQUIRE(ended.came());
    CHECK(where != first);
}

TEST_CASE("workers: stop ends idle threads, and `when_ended` runs on one of them without the lock")
{
    Work work;
    Notice ended;
    std::thread::id where;
    bool was_free = false;
    IoWorkers workers(3, work.mutex, work.steps());
    {
        const MutexLock lock(work.mutex);
        workers.stop([&] {
            where = std::this_thread::get_id();
            {
                const MutexLock free(work.mutex); // waits forever unless it is
                was_free = true;
            }
            ended.give();
        });
    }
    REQUIRE(ended.came());
    CHECK(where != std::this_thread::get_id());
    CHECK(was_free);
}

TEST_CASE("workers: a second stop changes nothing")
{
    Work work;
    int first = 0;
    int second = 0;
    {
        IoWorkers workers(2, work.mutex, work.steps());
        const MutexLock lock(work.mutex);
        workers.stop([&] { ++first; });
        workers.stop([&] { ++second; });
    }
    CHECK(first == 1);
    CHECK(second == 0);
}

TEST_CASE("workers: their destruction waits for the steps under way")
{
    Work work;
    test::Gate gate;
    work.during = [&] { gate.pass(); };
    std::thread opener;
    {
        IoWorkers workers(2, work.mutex, work.steps());
        work.give(workers, 1);
        REQUIRE(gate.wait_for_waiting(1));
        opener = std::thread([&] { gate.open(); });
    }
    opener.join();
    CHECK(work.done == 1);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// The threads that compress. They are niced: hashing, writing and the network come first.
#pragma once

#include "unit_message.hpp"

#include "ezio/util/clock.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace ezio {

struct PackJob {
    UnitPlace place;
    std::byte* data = nullptr; // place.length bytes, which go back with Options::release
    Effort effort;
    std::weak_ptr<void> owner; // who is to be answered
};

struct PackedUnit {
    PackJob job;
    std::vector<char> packed; // empty: it does not shrink, and the job has its data still
};

// Calls may come from any thread.
class UnitWorkers {
  public:
    struct Options {
        unsigned threads = 1;
        std::function<void(std::byte*)> release; // gives back a job's data; any thread
        std::function<void()> notify;            // something is done; called on a worker, without a lock
    };

    // Starts the threads. Throws Error when it cannot.
    explicit UnitWorkers(Options options);
    ~UnitWorkers(); // stop()
    UnitWorkers(const UnitWorkers&) = delete;
    UnitWorkers& operator=(const UnitWorkers&) = delete;

    // After stop() the data is released at once, and nothing follows.
    void submit(PackJob job);

    // What no thread has begun with.
    [[nodiscard]] std::vector<PackJob> take_back();

    // What is done and was not taken yet. Data in it is to be given back with release().
    [[nodiscard]] std::vector<PackedUnit> take_done();
    void release(std::byte* data) { m_options.release(data); }

    // Gives back the data of everything, and waits for the threads. Idempotent.
    void stop();

    // How long the threads have had something to do, all of them added up: also while the kernel gave the
    // processor to others, which a machine that is busy with something else does to them.
    [[nodiscard]] std::chrono::nanoseconds occupied();
    [[nodiscard]] unsigned threads() const { return m_options.threads; }

    // Below which saved bytes are not worth the work at either end.
    [[nodiscard]] static std::size_t most_packed(std::size_t raw_bytes) { return raw_bytes - raw_bytes / 16; }

  private:
    void run();
    [[nodiscard]] PackedUnit pack(Packer& packer, PackJob job);
    void count_time(); // with m_mutex, before m_unfinished changes

    const Options m_options;
    std::mutex m_mutex; // guards the rest
    std::condition_variable m_wake;
    std::deque<PackJob> m_waiting;
    std::vector<PackedUnit> m_done;
    std::size_t m_unfinished = 0; // jobs that wait or are in work
    std::chrono::nanoseconds m_occupied{0};
    Clock::time_point m_counted = Clock::now(); // up to when
    bool m_notified = false;                    // since something was taken
    bool m_stopping = false;
    std::vector<std::thread> m_threads;
};

} // namespace ezio

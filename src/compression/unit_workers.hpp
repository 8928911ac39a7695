// SPDX-License-Identifier: GPL-2.0-or-later
//
// The compression threads. They are niced, because hashing, writing and the network come first.
#pragma once

#include "unit_message.hpp"

#include "ezio/engine/read_buffer.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/mutex.hpp"

#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace ezio {

struct PackJob {
    UnitPlace place;
    ReadBuffer data; // place.length bytes
    Effort effort;
    std::weak_ptr<void> owner; // the peer to answer
};

struct PackedUnit {
    PackJob job;
    std::vector<char> packed; // empty: it does not shrink, and the job still has its data
};

// Any thread may call any function.
class UnitWorkers {
  public:
    struct Options {
        unsigned threads = 1;
        std::function<void()> notify; // a job is done; called on a worker, without a lock held
    };

    // Starts the threads. Throws Error on failure.
    explicit UnitWorkers(Options options);
    ~UnitWorkers(); // stop()
    UnitWorkers(const UnitWorkers&) = delete;
    UnitWorkers& operator=(const UnitWorkers&) = delete;

    // After stop() the job is dropped.
    void submit(PackJob job);

    // The jobs that no thread has begun.
    [[nodiscard]] std::deque<PackJob> take_back();

    // The finished jobs since the last call.
    [[nodiscard]] std::vector<PackedUnit> take_done();

    // Drops all jobs, with their data, and waits for the threads. Idempotent.
    void stop();

    // Throws again what a thread has thrown; that thread has ended.
    void throw_if_failed();

    // The time for which the threads had work, summed over all threads. It includes time in which the kernel
    // gave the processor to other work, as on a busy machine.
    [[nodiscard]] std::chrono::nanoseconds occupied();
    [[nodiscard]] unsigned threads() const { return m_options.threads; }

    // The largest result worth using: smaller savings do not justify the work at both ends.
    [[nodiscard]] static std::size_t most_packed(std::size_t raw_bytes) { return raw_bytes - raw_bytes / 16; }

  private:
    void run();
    void work() REQUIRES(m_mutex);
    [[nodiscard]] PackedUnit pack(Packer& packer, PackJob job) REQUIRES(m_mutex);
    void count_time() REQUIRES(m_mutex); // call before m_unfinished changes

    const Options m_options;
    Mutex m_mutex;
    Condition m_wake;
    std::deque<PackJob> m_waiting GUARDED_BY(m_mutex);
    std::vector<PackedUnit> m_done GUARDED_BY(m_mutex);
    std::size_t m_unfinished GUARDED_BY(m_mutex) = 0; // jobs that wait or are in progress
    std::chrono::nanoseconds m_occupied GUARDED_BY(m_mutex){0};
    Clock::time_point m_counted GUARDED_BY(m_mutex) = Clock::now(); // the end of the time counted so far
    bool m_notified GUARDED_BY(m_mutex) = false;                    // since the last call of take_done()
    bool m_stopping GUARDED_BY(m_mutex) = false;
    std::exception_ptr m_thrown GUARDED_BY(m_mutex);
    std::vector<std::thread> m_threads GUARDED_BY(m_mutex);
};

} // namespace ezio

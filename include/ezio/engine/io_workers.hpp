// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ezio {

// Threads that run `step` while it finds work.
class IoWorkers {
  public:
    // Does one piece of work, with the lock released meanwhile; returns false if there was none.
    // Called and returns with the lock held, on any of the threads.
    using Step = std::function<bool(std::unique_lock<std::mutex>&)>;

    // `mutex` guards the data that `step` uses. Starts the threads. Throws Error when one cannot be started.
    IoWorkers(unsigned threads, std::mutex& mutex, Step step);

    // Calls stop() and waits for the threads.
    ~IoWorkers();

    // There may be work. Call with the mutex held.
    void wake();

    // No step is begun after this; steps in progress finish. `when_ended` runs on the last thread to end,
    // without the lock. Does not wait. Call with the mutex held; a second call has no effect.
    void stop(std::function<void()> when_ended);

  private:
    void run();
    void end();

    std::mutex& m_mutex;
    const Step m_step;
    std::condition_variable m_wake;
    unsigned m_idle = 0; // guarded by m_mutex, as are the next three
    unsigned m_running = 0;
    bool m_stopping = false;
    std::function<void()> m_when_ended;
    std::vector<std::thread> m_threads; // constant after construction
};

} // namespace ezio

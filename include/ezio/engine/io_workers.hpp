// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/mutex.hpp"

#include <functional>
#include <thread>
#include <vector>

namespace ezio {

// Threads that run `step` while it finds work.
class IoWorkers {
  public:
    // Does one piece of work, with the mutex released meanwhile; returns false if there was none.
    // Called and returns with the mutex held, on any of the threads.
    using Step = std::function<bool()>;

    // `mutex` guards the data that `step` uses. Starts the threads. Throws Error when one cannot be started.
    IoWorkers(unsigned threads, Mutex& mutex, Step step);

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

    Mutex& m_mutex;
    const Step m_step;
    Condition m_wake;
    unsigned m_idle GUARDED_BY(m_mutex) = 0;
    unsigned m_running GUARDED_BY(m_mutex) = 0;
    bool m_stopping GUARDED_BY(m_mutex) = false;
    std::function<void()> m_when_ended GUARDED_BY(m_mutex);
    std::vector<std::thread> m_threads; // constant after construction
};

} // namespace ezio

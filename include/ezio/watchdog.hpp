// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace ezio {

// Calls `expired`, on a thread of its own, unless it is destroyed within `patience`: for what may never come
// back, such as a thread that waits for a dead disk.
class Watchdog {
  public:
    Watchdog(std::chrono::milliseconds patience, std::function<void()> expired);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

  private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    bool m_over = false;  // guarded by m_mutex
    std::thread m_thread; // last: it uses the rest
};

} // namespace ezio

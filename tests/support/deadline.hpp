// SPDX-License-Identifier: GPL-2.0-or-later
//
// Waiting for other threads in tests: for something, with a deadline that is long enough for any machine, and
// never for a time.
#pragma once

#include "catch.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace ezio::test {

inline constexpr std::chrono::seconds deadline{60};

// Something that happens once. Any thread.
class Notice {
  public:
    void give()
    {
        const std::lock_guard lock(m_mutex);
        m_came = true;
        m_changed.notify_all();
    }
    [[nodiscard]] bool has_come() const
    {
        const std::lock_guard lock(m_mutex);
        return m_came;
    }
    // Waits; false when the deadline has passed.
    [[nodiscard]] bool came() const
    {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, deadline, [this] { return m_came; });
    }

  private:
    mutable std::mutex m_mutex;
    mutable std::condition_variable m_changed;
    bool m_came = false; // guarded by m_mutex
};

// Where threads wait until the test lets them through. Any thread.
class Gate {
  public:
    // Waits until there is a way through; or the deadline has passed, so that a test that failed ends.
    void pass()
    {
        std::unique_lock lock(m_mutex);
        ++m_waiting;
        m_changed.notify_all();
        const bool permitted = m_changed.wait_for(lock, deadline, [this] { return m_open || m_permits > 0; });
        m_permits -= permitted && !m_open ? 1 : 0;
        --m_waiting;
    }

    void open()
    {
        const std::lock_guard lock(m_mutex);
        m_open = true;
        m_changed.notify_all();
    }

    void close()
    {
        const std::lock_guard lock(m_mutex);
        m_open = false;
        m_permits = 0;
    }

    // Lets `count` through a closed gate.
    void let_through(int count)
    {
        const std::lock_guard lock(m_mutex);
        m_permits += count;
        m_changed.notify_all();
    }

    // Waits until so many wait at the gate; false when the deadline has passed.
    [[nodiscard]] bool wait_for_waiting(int count) const
    {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, deadline, [&] { return m_waiting >= count; });
    }

  private:
    mutable std::mutex m_mutex; // guards the rest
    mutable std::condition_variable m_changed;
    bool m_open = false;
    int m_permits = 0;
    int m_waiting = 0;
};

// Asks again and again, for what gives no notice of itself; false when the deadline has passed.
[[nodiscard]] inline bool comes_true(const std::function<bool()>& question)
{
    const auto until = std::chrono::steady_clock::now() + deadline;
    while (!question()) {
        if (std::chrono::steady_clock::now() > until) {
            return false;
        }
        std::this_thread::yield();
    }
    return true;
}

} // namespace ezio::test

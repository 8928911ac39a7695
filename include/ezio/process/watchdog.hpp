// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/clock.hpp"
#include "ezio/util/mutex.hpp"

#include <functional>
#include <optional>
#include <thread>

namespace ezio {

// Runs an action on its own thread if an expected event does not happen in time: the thread responsible for
// it may be waiting for a dead disk or a name server. Any thread.
class Watchdog {
  public:
    using Action = std::function<void()>;

    // Throws Error when a thread cannot be started, like renew_thread().
    Watchdog();
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    // Calls `action`, which must not throw, at `when`, unless something else is set by then. Replaces the
    // previous action.
    void set(Clock::time_point when, Action action);

    // Like set(), but no later than the time set before.
    void bring_forward(Clock::time_point when, Action action);

    void call_off();

    // Gives the thread the current capabilities of the calling thread. To be called after giving some up.
    void renew_thread();

  private:
    void watch();
    void start();
    void end();

    Mutex m_mutex;
    Condition m_changed;
    std::optional<Clock::time_point> m_when GUARDED_BY(m_mutex);
    Action m_action GUARDED_BY(m_mutex);
    bool m_over GUARDED_BY(m_mutex) = false;
    std::thread m_thread; // last, because it uses the other members
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/clock.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace ezio {

// Acts, on a thread of its own, when what is to happen by a certain time has not happened: the thread that
// was to do it may be waiting for a dead disk, or for a name server. Any thread.
class Watchdog {
  public:
    using Action = std::function<void()>;

    // Throws Error when a thread cannot be started, as renew_thread() does.
    Watchdog();
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    // Calls `action` at `when`, in place of what was set before, unless something else is set by then.
    void set(Clock::time_point when, Action action);

    // As set(), but no later than what was set before.
    void bring_forward(Clock::time_point when, Action action);

    void call_off();

    // Gives the thread the capabilities that the calling thread has by now: to be called when that has given
    // some up.
    void renew_thread();

  private:
    void watch();
    void start();
    void end();

    std::mutex m_mutex; // guards what follows but the thread
    std::condition_variable m_changed;
    std::optional<Clock::time_point> m_when;
    Action m_action;
    bool m_over = false;
    std::thread m_thread; // last: it uses the rest
};

} // namespace ezio

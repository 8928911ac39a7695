// SPDX-License-Identifier: GPL-2.0-or-later
//
// SIGINT, SIGTERM and SIGHUP. The first one requests an orderly stop. The second one ends the process at once
// (unless a program sends the same signal within half a second), and so does an orderly stop that takes too
// long (because a device hangs). The kernel does not end a process with a request at a device, so a message
// names the disk that does not answer. SIGINT and SIGHUP stay ignored if they were ignored when the process
// was started, as nohup and background jobs of a shell need.
#pragma once

#include "ezio/process/disk_calls.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/fd.hpp"
#include "ezio/util/wakeup.hpp"

#include <atomic>
#include <chrono>
#include <string_view>
#include <thread>

namespace ezio {

// The message and exit status for a signal. `remark` is added to the message.
[[nodiscard]] Error stopped_by(int signal, std::string_view remark);

class StopSignal {
  public:
    // How long an orderly stop may take.
    static constexpr std::chrono::milliseconds patience{2500};

    // Blocks the signals in the calling thread and in all that it starts later: construct this before any
    // thread. `wakeup` is notified when a signal arrives. Throws std::system_error.
    StopSignal(Wakeup& wakeup, const DiskCalls& disk);
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    // The signal received, or 0.
    [[nodiscard]] int received() const { return m_received.load(); }

    // Throws Error with the signal's exit status if one was received. `remark` is added to the message.
    void throw_if_received(const char* remark = "") const;

    // Gives the signal thread the current capabilities of the calling thread. To be called after giving some
    // up, from the thread that constructed this.
    void renew_thread();

  private:
    void watch();
    void end_watch();

    Wakeup& m_wakeup;
    const DiskCalls& m_disk;
    Fd m_signals; // readable when a signal has arrived
    Fd m_quit;    // readable when the thread should end
    std::atomic<int> m_received = 0;
    Clock::time_point m_since; // time of the signal; signal thread only
    std::thread m_watcher;
};

} // namespace ezio

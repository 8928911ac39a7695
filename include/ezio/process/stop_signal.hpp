// SPDX-License-Identifier: GPL-2.0-or-later
//
// SIGINT, SIGTERM and SIGHUP. The first asks for an orderly stop; the second ends the process at once (unless
// a program sends the same one again within half a second), and so does an orderly stop that takes too long
// (a device that hangs). The kernel lets no process go whose request
// is with a device, so it is said which one does not answer, when a call on it is out. SIGINT and SIGHUP that
// were ignored when the process was started stay ignored, as nohup and a shell's background jobs have it.
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

// What to say of a signal that came, with its exit status. `remark` is added to the message.
[[nodiscard]] Error stopped_by(int signal, std::string_view remark);

class StopSignal {
  public:
    // How long an orderly stop may take.
    static constexpr std::chrono::milliseconds patience{2500};

    // Blocks the signals for the calling thread and all that it starts later: make this before any thread.
    // `wakeup` is notified when one comes. Throws std::system_error.
    StopSignal(Wakeup& wakeup, const DiskCalls& disk);
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    // The signal that came, or 0.
    [[nodiscard]] int received() const { return m_received.load(); }

    // Throws Error with the signal's exit status when one came. `remark` is added to the message.
    void throw_if_received(const char* remark = "") const;

    // Gives the thread that watches the capabilities that the calling thread has by now: to be called when
    // that has given some up, from the thread that made this.
    void renew_thread();

  private:
    void watch();
    void end_watch();

    Wakeup& m_wakeup;
    const DiskCalls& m_disk;
    Fd m_signals; // readable when a signal came
    Fd m_quit;    // readable when the watch is over
    std::atomic<int> m_received = 0;
    Clock::time_point m_since; // when it came; only for the thread that watches
    std::thread m_watcher;
};

} // namespace ezio

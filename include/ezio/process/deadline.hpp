// SPDX-License-Identifier: GPL-2.0-or-later
//
// Time limits that hold whatever the main thread is doing. The main thread checks its limits in its loop, and
// sets here, each time around, when the next one passes. If it does not return in time (it waits for a name
// server, a disk, or libtorrent's network thread), the process ends from here, with the same status and a
// message that names what it waits for.
#pragma once

#include "ezio/process/disk_calls.hpp"
#include "ezio/process/watchdog.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/mutex.hpp"

#include <functional>
#include <optional>
#include <string>

namespace ezio {

class Deadline {
  public:
    // How long an orderly end may take after a limit has passed. Less than StopSignal::patience.
    static constexpr milliseconds patience{2000};

    Deadline(Reporter& reporter, DiskCalls& disk) : m_reporter(reporter), m_disk(disk) {}

    // From `when` on the main thread has to end with ExitStatus::stalled. `reason` names the limit that has
    // passed ("not complete after 3s"), `waits_for` what a hanging main thread waits for; a disk that does
    // not answer is named as well. `grace` is the extra time for the main thread to do this itself.
    void fail_at(Clock::time_point when, std::string reason, std::string waits_for,
                 milliseconds grace = patience);

    // From `when` on the main thread has to end with success, because of `reason`.
    void leave_at(Clock::time_point when, std::string reason);

    // Runs before the process is ended from here; empty: nothing.
    void clean_up_with(std::function<void()> clean_up);

    // Removes the limit.
    void call_off() { m_watchdog.call_off(); }

    // The main thread is about to end, with this error if there is one. What it started has to end within
    // `patience`, or within what is left of that after a limit has passed.
    void end(const std::optional<Error>& error);

    // Like StopSignal::renew_thread.
    void renew_thread() { m_watchdog.renew_thread(); }

    [[nodiscard]] DiskCalls& disk() { return m_disk; }

  private:
    [[noreturn]] void end_at_once(const std::optional<Error>& error);
    void tell_end(const std::optional<Error>& error);
    [[noreturn]] void exit_with(ExitStatus status) noexcept;

    Reporter& m_reporter;
    DiskCalls& m_disk;
    Mutex m_mutex;
    std::function<void()> m_clean_up GUARDED_BY(m_mutex);
    Watchdog m_watchdog;
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Limits that hold whatever the main thread is doing. It looks at its limits itself, in its loop, and says
// here each time it comes round when the next one passes. If it does not come round by then (it waits for a
// name server, for a disk, for libtorrent's network thread), the process ends from here, with the same status
// and with what it waits for.
#pragma once

#include "ezio/process/disk_calls.hpp"
#include "ezio/process/watchdog.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/error.hpp"

#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace ezio {

class Deadline {
  public:
    // How long an orderly end may take, from the moment that a limit passes. Less than StopSignal::patience.
    static constexpr milliseconds patience{2000};

    Deadline(Reporter& reporter, DiskCalls& disk) : m_reporter(reporter), m_disk(disk) {}

    // From `when` on the main thread is to end with ExitStatus::stalled; `reason` is what then has passed
    // ("not complete after 3s"), `waits_for` what a main thread waits for that does not; a disk that does
    // not answer is named besides. `grace`: what it gets to do that itself.
    void fail_at(Clock::time_point when, std::string reason, std::string waits_for,
                 milliseconds grace = patience);

    // From `when` on the main thread is to end with success, and `reason` says why.
    void leave_at(Clock::time_point when, std::string reason);

    // What is to be done before an end from here; empty: nothing.
    void clean_up_with(std::function<void()> clean_up);

    // There is no limit any more, or none yet.
    void call_off() { m_watchdog.call_off(); }

    // The main thread ends, with this error if there is one: what it started is to end within `patience`, and
    // within what is left of the patience with a limit that has passed.
    void end(const std::optional<Error>& error);

    // As StopSignal::renew_thread.
    void renew_thread() { m_watchdog.renew_thread(); }

    [[nodiscard]] DiskCalls& disk() { return m_disk; }

  private:
    void end_at_once(const std::optional<Error>& error);
    [[noreturn]] void exit_with(ExitStatus status);

    Reporter& m_reporter;
    DiskCalls& m_disk;
    std::mutex m_mutex;
    std::function<void()> m_clean_up; // guarded by m_mutex
    Watchdog m_watchdog;
};

} // namespace ezio

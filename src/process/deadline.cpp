// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/process/deadline.hpp"

#include <fmt/format.h>

#include <utility>

#include <unistd.h>

namespace ezio {

namespace {

constexpr const char* no_goodbye =
    "leaving without notifying the trackers: the network or a name server is slow";

// A step of an end that happens in any case.
template <typename Part>
void attempt(const Part& part) noexcept
{
    try {
        part();
    } catch (...) { // most likely out of memory
        return;
    }
}

} // namespace

void Deadline::fail_at(Clock::time_point when, std::string reason, std::string waits_for, milliseconds grace)
{
    m_watchdog.set(when + grace, [this, reason = std::move(reason), waits_for = std::move(waits_for)] {
        attempt([&] {
            const std::string dead = m_disk.unanswered(hanging_call);
            m_reporter.error(
                {ExitStatus::stalled, fmt::format("{}: {}{}", reason, waits_for,
                                                  dead.empty() ? "" : "; " + describe_dead_disk(dead))});
        });
        exit_with(ExitStatus::stalled);
    });
}

void Deadline::leave_at(Clock::time_point when, std::string reason)
{
    m_watchdog.set(when + patience, [this, reason = std::move(reason)] {
        attempt([&] { m_reporter.note("leaving: " + reason); });
        end_at_once({});
    });
}

void Deadline::end(const std::optional<Error>& error)
{
    m_watchdog.bring_forward(Clock::now() + patience, [this, error] { end_at_once(error); });
}

void Deadline::end_at_once(const std::optional<Error>& error)
{
    attempt([&] { tell_end(error); });
    exit_with(error ? error->status() : ExitStatus::done);
}

// Names what the remaining threads wait for, and the error if the transfer ended with one. The main thread
// cannot report it, because it waits for them.
void Deadline::tell_end(const std::optional<Error>& error)
{
    std::optional<Error> told = error;
    const std::string dead = m_disk.unanswered(hanging_call);
    if (dead.empty()) {
        m_reporter.note(no_goodbye);
    } else if (error && !error->io_failure()) {
        told.emplace(error->status(), fmt::format("{}; {}", error->what(), describe_dead_disk(dead)));
    } else { // the failure is of another request: report its path and offset, too
        m_reporter.warning(describe_dead_disk(dead));
    }
    if (told) {
        m_reporter.error(*told);
    }
}

void Deadline::clean_up_with(std::function<void()> clean_up)
{
    const MutexLock lock(m_mutex);
    m_clean_up = std::move(clean_up);
}

void Deadline::exit_with(ExitStatus status) noexcept
{
    attempt([&] {
        const MutexLock lock(m_mutex);
        if (m_clean_up) {
            m_clean_up();
        }
    });
    attempt([&] { m_reporter.finish(); });
    ::_exit(static_cast<int>(status));
}

} // namespace ezio

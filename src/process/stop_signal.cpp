// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/process/stop_signal.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/printable.hpp"
#include "ezio/util/threads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace ezio {

namespace {

// Omits the message if writing it would block: in a full pipe without a reader.
void say_at_once(const std::string& message)
{
    const std::string line = ("ezio-cli: " + printable(message)).substr(0, PIPE_BUF - 1) + "\n";
    pollfd out{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0) {
        [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
    }
}

template <typename Message>
[[noreturn]] void leave_at_once(int signal, Message message) noexcept
{
    try {
        say_at_once(message());
    } catch (...) { // no memory for the message
        ::_exit(128 + signal);
    }
    ::_exit(128 + signal);
}

bool is_ignored(int signal)
{
    struct sigaction action {};
    return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

sigset_t signals_to_obey()
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    for (const int signal : {SIGINT, SIGHUP}) {
        if (!is_ignored(signal)) {
            sigaddset(&wanted, signal);
        }
    }
    return wanted;
}

// timeout(1) signals its child and then the group that both are in: one request that arrives twice. A second
// Ctrl-C from the terminal is always a separate one.
bool is_same_request(const signalfd_siginfo& info, int received, Clock::duration since)
{
    constexpr std::chrono::milliseconds apart{500};
    return static_cast<int>(info.ssi_signo) == received && info.ssi_code == SI_USER && since < apart;
}

struct Meaning {
    const char* name;
    ExitStatus status;
};

Meaning meaning_of(int signal)
{
    switch (signal) {
    case SIGINT:
        return {"SIGINT", ExitStatus::interrupted};
    case SIGHUP:
        return {"SIGHUP", ExitStatus::hung_up};
    default:
        return {"SIGTERM", ExitStatus::terminated};
    }
}

} // namespace

Error stopped_by(int signal, std::string_view remark)
{
    const auto [name, status] = meaning_of(signal);
    return {status, fmt::format("stopped by {}{}", name, remark)};
}

StopSignal::StopSignal(Wakeup& wakeup, const DiskCalls& disk) : m_wakeup(wakeup), m_disk(disk)
{
    const sigset_t wanted = signals_to_obey();
    if (const int error = ::pthread_sigmask(SIG_BLOCK, &wanted, nullptr); error != 0) {
        throw std::system_error(error, std::generic_category(), "pthread_sigmask");
    }
    m_signals = Fd(::signalfd(-1, &wanted, SFD_CLOEXEC));
    m_quit = Fd(::eventfd(0, EFD_CLOEXEC));
    if (!m_signals || !m_quit) {
        throw std::system_error(errno, std::generic_category(), "signalfd");
    }
    m_watcher = start_thread([this] { watch(); });
}

StopSignal::~StopSignal()
{
    end_watch();
}

void StopSignal::renew_thread()
{
    end_watch();
    std::uint64_t ended = 0;
    [[maybe_unused]] const ssize_t taken = ::read(m_quit.get(), &ended, sizeof ended);
    m_watcher = start_thread([this] { watch(); }); // a signal that arrives meanwhile is still in m_signals
}

void StopSignal::end_watch()
{
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(m_quit.get(), &one, sizeof one);
    if (m_watcher.joinable()) { // a new one could not be started
        m_watcher.join();
    }
}

void StopSignal::throw_if_received(const char* remark) const
{
    if (const int signal = received(); signal != 0) {
        throw stopped_by(signal, remark);
    }
}

void StopSignal::watch()
{
    std::array<pollfd, 2> wanted{{{m_quit.get(), POLLIN, 0}, {m_signals.get(), POLLIN, 0}}};
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(m_since + patience - Clock::now());
        const int timeout = received() == 0 ? -1 : std::max(0, static_cast<int>(left.count()));
        const int ready = ::poll(wanted.data(), wanted.size(), timeout);
        if ((wanted[0].revents & POLLIN) != 0) {
            return;
        }
        if (ready == 0) {
            leave_at_once(received(), [this] {
                const std::string path = m_disk.unanswered(hanging_call);
                return path.empty() ? "leaving at once: an orderly end takes too long"
                                    : describe_dead_disk(path);
            });
        }
        signalfd_siginfo info{};
        if (ready < 0 || ::read(m_signals.get(), &info, sizeof info) != sizeof info) {
            continue;
        }
        const int signal = static_cast<int>(info.ssi_signo);
        if (is_same_request(info, received(), Clock::now() - m_since)) {
            continue;
        }
        if (received() != 0) {
            leave_at_once(signal, [this] {
                const std::string path = m_disk.unanswered();
                return path.empty() ? "leaving at once"
                                    : "leaving at once; if not, " + describe_dead_disk(path);
            });
        }
        m_since = Clock::now();
        m_received = signal;
        m_wakeup.notify();
    }
}

} // namespace ezio

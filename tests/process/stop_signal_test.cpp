// SPDX-License-Identifier: GPL-2.0-or-later
//
// Signals are for a whole process, so each test has one of its own: a child that is forked while this process
// has one thread only. It says on its standard output how far it is, and never returns into the test runner.
#include "ezio/process/stop_signal.hpp"

#include "deadline.hpp"
#include "expect_error.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <functional>
#include <iostream>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ezio {

using namespace std::chrono_literals;
using test::deadline;

namespace {

// Tells the test something.
void say(const std::string& line)
{
    if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        ::_exit(99);
    }
}

// A process that runs `body` and exits with its result.
class Child {
  public:
    explicit Child(const std::function<int()>& body)
    {
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        m_output = Fd(ends[0]);
        Fd input(ends[1]);
        std::cout.flush(); // or the child has the test runner's lines to print as well
        REQUIRE(std::fflush(nullptr) == 0);
        m_pid = ::fork();
        REQUIRE(m_pid >= 0);
        if (m_pid == 0) {
            (void)::dup2(input.get(), STDOUT_FILENO);
            (void)::dup2(input.get(), STDERR_FILENO);
            (void)input.close();
            ::_exit(body());
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child()
    {
        if (m_pid > 0) {
            (void)::kill(m_pid, SIGKILL);
            (void)::waitpid(m_pid, nullptr, 0);
        }
    }

    void send(int signal) const { REQUIRE(::kill(m_pid, signal) == 0); }

    // The child says this next.
    void expect(const std::string& text)
    {
        while (m_said.size() < text.size() && read_more()) {
        }
        REQUIRE(m_said.substr(0, text.size()) == text);
        m_said.erase(0, text.size());
    }

    // Its exit status, when it has ended by itself; before that it has said `last_words` and no more.
    [[nodiscard]] int wait(const std::string& last_words = "")
    {
        while (read_more()) {
        }
        CHECK(m_said == last_words);
        int status = 0;
        REQUIRE(::waitpid(m_pid, &status, 0) == m_pid);
        m_pid = 0;
        REQUIRE(WIFEXITED(status));
        return WEXITSTATUS(status);
    }

  private:
    [[nodiscard]] bool read_more()
    {
        constexpr int deadline_ms = std::chrono::milliseconds(deadline).count();
        pollfd wanted{m_output.get(), POLLIN, 0};
        REQUIRE(::poll(&wanted, 1, deadline_ms) == 1);
        std::array<char, 256> buffer{};
        const ssize_t got = ::read(m_output.get(), buffer.data(), buffer.size());
        REQUIRE(got >= 0);
        m_said.append(buffer.data(), static_cast<std::size_t>(got));
        return got > 0;
    }

    pid_t m_pid = 0;
    Fd m_output;
    std::string m_said; // and was not expected yet
};

// Waits for the first signal, says which one it was, and goes on with `then`.
int until_signal(const std::function<int(const StopSignal&)>& then)
{
    Wakeup wakeup;
    const DiskCalls disk;
    const StopSignal stop(wakeup, disk);
    say("ready\n");
    while (stop.received() == 0) {
        wakeup.wait_for(deadline);
    }
    say("received " + std::to_string(stop.received()) + "\n");
    return then(stop);
}

int hang(const StopSignal&)
{
    Wakeup never;
    never.wait_for(deadline);
    return 98;
}

int leave(const StopSignal&)
{
    return 7;
}

} // namespace

TEST_CASE("stop signal: the first one asks for an orderly stop, and wakes who waits")
{
    for (const auto& [signal, number] : {std::pair(SIGTERM, "15"), {SIGINT, "2"}}) {
        Child child([] { return until_signal(leave); });
        child.expect("ready\n");
        child.send(signal);
        child.expect(std::string("received ") + number + "\n");
        CHECK(child.wait() == 7);
    }
}

TEST_CASE("stop signal: a second one ends the process at once, with its status")
{
    for (const auto& [second, status] : {std::pair(SIGTERM, 143), {SIGINT, 130}}) {
        Child child([] { return until_signal(hang); });
        child.expect("ready\n");
        child.send(SIGTERM);
        child.expect("received 15\n");
        std::this_thread::sleep_for(600ms);
        child.send(second);
        CHECK(child.wait("ezio-cli: leaving at once\n") == status);
    }
}

TEST_CASE("stop signal: another one ends the process at once, however soon it comes")
{
    Child child([] { return until_signal(hang); });
    child.expect("ready\n");
    child.send(SIGTERM);
    child.expect("received 15\n");
    child.send(SIGINT);
    CHECK(child.wait("ezio-cli: leaving at once\n") == 130);
}

// As timeout(1) does: the child, and then its group.
TEST_CASE("stop signal: the same one twice in a moment is one, and the patience goes on from the first")
{
    const Clock::time_point start = Clock::now();
    Child child([] { return until_signal(hang); });
    child.expect("ready\n");
    child.send(SIGTERM);
    child.expect("received 15\n");
    child.send(SIGTERM);
    CHECK(child.wait("ezio-cli: leaving at once: an orderly end takes too long\n") == 143);
    CHECK(Clock::now() - start >= StopSignal::patience - 10ms);
}

TEST_CASE("stop signal: when the orderly stop takes too long the process leaves by itself")
{
    Child child([] {
        Wakeup wakeup;
        DiskCalls disk;
        disk.set_disk("/dev/sda");
        const DiskCalls::Call call(disk);
        StopSignal stop(wakeup, disk);
        say("ready\n");
        while (stop.received() == 0) {
            wakeup.wait_for(deadline);
        }
        say("received 15\n");
        return hang(stop);
    });
    child.expect("ready\n");
    const Clock::time_point start = Clock::now();
    child.send(SIGTERM);
    child.expect("received 15\n");
    CHECK(child.wait("ezio-cli: /dev/sda does not answer: the process ends when the kernel gives its request "
                     "back\n") == 143);
    CHECK(Clock::now() - start >= StopSignal::patience - 10ms);
    CHECK(Clock::now() - start < deadline);
}

TEST_CASE("stop signal: it blames no disk while no call on it is out")
{
    Child child([] {
        Wakeup wakeup;
        DiskCalls disk;
        disk.set_disk("/dev/sda");
        {
            const DiskCalls::Call returned(disk);
        }
        const StopSignal stop(wakeup, disk);
        say("ready\n");
        while (stop.received() == 0) {
            wakeup.wait_for(deadline);
        }
        say("received 15\n");
        return hang(stop);
    });
    child.expect("ready\n");
    child.send(SIGTERM);
    child.expect("received 15\n");
    CHECK(child.wait("ezio-cli: leaving at once: an orderly end takes too long\n") == 143);
}

TEST_CASE("stop signal: the process leaves also when its standard error is full and nobody reads it")
{
    Child child([] {
        std::array<int, 2> full{};
        (void)::pipe2(full.data(), O_NONBLOCK);
        while (::write(full[1], "x", 1) == 1) {
        }
        (void)::fcntl(full[1], F_SETFL, 0);
        (void)::dup2(full[1], STDERR_FILENO);
        return until_signal(hang);
    });
    child.expect("ready\n");
    child.send(SIGTERM);
    child.expect("received 15\n");
    std::this_thread::sleep_for(600ms);
    child.send(SIGTERM);
    CHECK(child.wait() == 143);
}

TEST_CASE("stop signal: without a signal nothing happens")
{
    Child child([] {
        Wakeup wakeup;
        const DiskCalls disk;
        const StopSignal stop(wakeup, disk);
        stop.throw_if_received();
        return stop.received();
    });
    CHECK(child.wait() == 0);
}

TEST_CASE("stop signal: it becomes an error with its status, and the remark is in the message")
{
    for (const auto& [signal, name, status] : {std::tuple(SIGTERM, "SIGTERM", ExitStatus::terminated),
                                               {SIGINT, "SIGINT", ExitStatus::interrupted},
                                               {SIGHUP, "SIGHUP", ExitStatus::hung_up}}) {
        Child child([] {
            return until_signal([](const StopSignal& stop) {
                try {
                    stop.throw_if_received("; the image is complete");
                } catch (const Error& error) {
                    say(error.what());
                    return static_cast<int>(error.status());
                }
                return 0;
            });
        });
        child.expect("ready\n");
        child.send(signal);
        child.expect(fmt::format("received {}\n", signal));
        CHECK(child.wait(fmt::format("stopped by {}; the image is complete", name)) ==
              static_cast<int>(status));
    }
}

TEST_CASE("stop signal: SIGINT and SIGHUP that were ignored from the start stay so, SIGTERM never does")
{
    Child child([] {
        (void)std::signal(SIGINT, SIG_IGN); // as a shell does for the background jobs of a script
        (void)std::signal(SIGHUP, SIG_IGN); // as nohup does
        (void)std::signal(SIGTERM, SIG_IGN);
        return until_signal(leave);
    });
    child.expect("ready\n");
    child.send(SIGINT);
    child.send(SIGHUP);
    child.send(SIGTERM);
    child.expect("received 15\n");
    CHECK(child.wait() == 7);
}

TEST_CASE("stop signal: with its thread replaced, it goes on as before")
{
    Child child([] {
        Wakeup wakeup;
        DiskCalls disk;
        disk.set_disk("/dev/sda");
        const DiskCalls::Call call(disk);
        StopSignal stop(wakeup, disk);
        stop.renew_thread();
        stop.renew_thread();
        say("ready\n");
        while (stop.received() == 0) {
            wakeup.wait_for(deadline);
        }
        stop.renew_thread();
        say("received\n");
        return hang(stop);
    });
    child.expect("ready\n");
    child.send(SIGTERM);
    child.expect("received\n");
    std::this_thread::sleep_for(600ms);
    child.send(SIGTERM);
    child.expect(
        "ezio-cli: leaving at once; if not, /dev/sda does not answer: the process ends when the kernel "
        "gives its request back\n");
    CHECK(child.wait() == 143);
}

TEST_CASE("stop signal: threads that are started later leave the signals to it")
{
    Child child([] {
        return until_signal([](const StopSignal&) {
            sigset_t blocked;
            std::thread([&] { (void)::pthread_sigmask(SIG_SETMASK, nullptr, &blocked); }).join();
            return sigismember(&blocked, SIGINT) == 1 && sigismember(&blocked, SIGTERM) == 1 ? 0 : 1;
        });
    });
    child.expect("ready\n");
    child.send(SIGTERM);
    child.expect("received 15\n");
    CHECK(child.wait() == 0);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/process/subprocess.hpp"

#include "expect_error.hpp"
#include "temp_dir.hpp"

#include "ezio/util/fd.hpp"
#include "ezio/util/units.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

namespace ezio {

using test::contains;
using test::refusal_of;
using test::TempDir;

namespace {

void no_tick() {}

ProcessResult run_shell(const std::string& script, const std::function<void()>& tick = no_tick)
{
    return run_process({"/bin/sh", "-c", script}, 1_MiB, tick);
}

// Calls back after some ticks, of which there are about ten in a second.
std::function<void()> after(int ticks, std::function<void()> action)
{
    return [ticks, action]() mutable {
        if (--ticks == 0) {
            action();
        }
    };
}

} // namespace

TEST_CASE("subprocess: its output, its errors and its status come back")
{
    const auto result = run_shell("echo out; echo err >&2; exit 3");
    CHECK(result.status == 3);
    CHECK(result.output == "out\n");
    CHECK(result.errors == "err\n");
}

TEST_CASE("subprocess: arguments arrive as they are, no shell looks at them")
{
    const auto result = run_process({"/bin/echo", "$HOME *", ";", "`id`"}, 1_KiB, no_tick);
    CHECK(result.output == "$HOME * ; `id`\n");
}

TEST_CASE("subprocess: its input is empty, its language English, and it has none of our descriptors")
{
    const auto result = run_shell("cat; echo $LC_ALL; ls /proc/self/fd | wc -l");
    CHECK(result.output == "C\n4\n"); // of ls: 0, 1, 2 and the directory
}

TEST_CASE("subprocess: it has our environment, with other variables in place of ours")
{
    REQUIRE(::setenv("EZIO_ONE", "ours", 1) == 0);
    REQUIRE(::setenv("EZIO_TWO", "ours", 1) == 0);
    const auto result = run_process({"/bin/sh", "-c", "echo $EZIO_ONE, $EZIO_TWO, $EZIO_TWO_MORE"}, 1_MiB,
                                    no_tick, nothing_given, {"EZIO_ONE=", "EZIO_TWO_MORE=other"});
    REQUIRE(::unsetenv("EZIO_ONE") == 0);
    REQUIRE(::unsetenv("EZIO_TWO") == 0);
    CHECK(result.output == ", ours, other\n");
}

TEST_CASE("subprocess: signals that are ignored or blocked here are not there")
{
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    const auto result = run_shell("kill -PIPE $$; echo lives");
    (void)std::signal(SIGPIPE, before);
    CHECK(result.status == 128 + SIGPIPE);
    CHECK(result.output.empty());
}

TEST_CASE("subprocess: more output than a pipe holds is read while it runs, and of errors the end is kept")
{
    const auto result = run_shell("head -c 900000 /dev/zero; head -c 900000 /dev/zero >&2; echo last >&2");
    CHECK(result.status == 0);
    CHECK(result.output.size() == 900000);
    CHECK(result.errors.size() == 16_KiB);
    CHECK_THAT(result.errors, contains("last\n"));
}

TEST_CASE("subprocess: more output than is wanted ends it")
{
    const auto refusal = refusal_of([] { (void)run_shell("cat /dev/zero"); });
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message == "/bin/sh printed more than 1.0 MiB; allow more with --memory");
}

TEST_CASE("subprocess: it is ended when the caller wants to stop, with all that it has started")
{
    const TempDir dir;
    const auto start = std::chrono::steady_clock::now();
    const auto stop = after(3, [] { throw std::runtime_error("stop"); });
    CHECK_THROWS_AS(
        run_shell("sleep 1000 & echo $! > " + (dir / "pid") + "; trap '' TERM INT; sleep 1000", stop),
        std::runtime_error);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
    const pid_t grandchild = std::stoi(test::read_file(dir / "pid"));
    const auto gone_or_zombie = [&] { // whoever inherits it may be slow to take note
        const std::string path = "/proc/" + std::to_string(grandchild) + "/status";
        return !std::filesystem::exists(path) || test::read_file(path).find("State:\tZ") != std::string::npos;
    };
    while (!gone_or_zombie() && std::chrono::steady_clock::now() - start < std::chrono::seconds(60)) {
        std::this_thread::yield();
    }
    CHECK(gone_or_zombie());
}

TEST_CASE("subprocess: one that closed its output is still waited for")
{
    CHECK(run_shell("exec >&- 2>&-; sleep 0.2; exit 7").status == 7);
}

TEST_CASE("subprocess: one that cannot be run is refused")
{
    const TempDir dir;
    test::write_file(dir / "text", "no program");
    auto refusal = refusal_of([&] { (void)run_process({dir / "text"}, 1_KiB, no_tick); });
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message == (dir / "text") + " cannot be run: Permission denied");
    refusal = refusal_of([&] { (void)run_process({dir / "nothing"}, 1_KiB, no_tick); });
    CHECK(refusal.message == (dir / "nothing") + " cannot be run: No such file or directory");
}

TEST_CASE("subprocess: programs are found in PATH first, then where administrators have theirs")
{
    const TempDir dir;
    test::write_file(dir / "sh", "#!/bin/sh\n");
    REQUIRE(::chmod((dir / "sh").c_str(), 0755) == 0);
    const std::string before = std::getenv("PATH");
    REQUIRE(::setenv("PATH", (":" + dir.path() + ":/bin").c_str(), 1) == 0);
    const std::string ours = find_program("sh");
    REQUIRE(::setenv("PATH", "", 1) == 0);
    const std::string system = find_program("losetup");
    const std::string none = find_program("no-such-program");
    REQUIRE(::setenv("PATH", before.c_str(), 1) == 0);
    CHECK(ours == dir / "sh");
    CHECK_THAT(system, contains("sbin/losetup"));
    CHECK(none.empty());
}

TEST_CASE("subprocess: it has the descriptor that it is given, and no other")
{
    const test::TempDir dir;
    test::write_file(dir / "given", "hello");
    const Fd given(::open((dir / "given").c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(given);
    const auto read_all = [&](int fd) {
        return run_process(
                   {"/bin/sh", "-c", "cat /proc/self/fd/3 2>/dev/null; ls /proc/self/fd | wc -l"}, 1_MiB,
                   [] {}, fd)
            .output;
    };
    CHECK(read_all(given.get()) == "hello5\n"); // three, the given one, and that of the listing
    CHECK(read_all(-1) == "4\n");
}

} // namespace ezio

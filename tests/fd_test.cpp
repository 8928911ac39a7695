// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/fd.hpp"

#include "catch.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ezio {

namespace {

Fd null_device()
{
    return Fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
}

bool is_open(int fd)
{
    return ::fcntl(fd, F_GETFD) >= 0;
}

// Occupies the standard descriptors in a process of its own, with these ones closed. Returns the sum of those
// that then do not work: 1 for standard input, 2 for output, 4 for error.
int useless_after_occupying(std::initializer_list<int> closed)
{
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        for (const int fd : closed) {
            (void)::close(fd);
        }
        occupy_standard_descriptors();
        if (null_device().get() <= STDERR_FILENO) {
            ::_exit(99); // what is opened next has got one of them
        }
        char byte = 0;
        const int in = ::read(STDIN_FILENO, &byte, 0) == 0 ? 0 : 1;
        const int out = ::write(STDOUT_FILENO, "", 0) == 0 ? 0 : 2;
        const int err = ::write(STDERR_FILENO, "", 0) == 0 ? 0 : 4;
        ::_exit(in + out + err);
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

} // namespace

TEST_CASE("fd: it closes what it owns at the end")
{
    int number = -1;
    {
        const Fd fd = null_device();
        REQUIRE(fd);
        number = fd.get();
        CHECK(is_open(number));
    }
    CHECK_FALSE(is_open(number));
}

TEST_CASE("fd: it can be moved, and what was there before is closed")
{
    Fd first = null_device();
    const int number = first.get();
    Fd second = null_device();
    const int before = second.get();
    second = Fd(std::move(first));
    CHECK(second.get() == number);
    CHECK(is_open(number));
    CHECK_FALSE(is_open(before));
}

TEST_CASE("fd: closing is done once, and says what went wrong")
{
    Fd fd = null_device();
    CHECK(fd.close() == 0);
    CHECK_FALSE(fd);
    CHECK(fd.close() == 0);
    Fd broken(null_device().get()); // closed behind its back
    CHECK(broken.close() == EBADF);
}

TEST_CASE("standard descriptors: what is there stays as it is")
{
    CHECK(useless_after_occupying({}) == 0);
}

TEST_CASE("standard descriptors: what is closed is taken, by nothing that can be used")
{
    CHECK(useless_after_occupying({STDIN_FILENO}) == 1);
    CHECK(useless_after_occupying({STDOUT_FILENO}) == 2);
    CHECK(useless_after_occupying({STDERR_FILENO}) == 4);
    CHECK(useless_after_occupying({STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) == 7);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/fd.hpp"

#include "catch.hpp"
#include "faults.hpp"
#include "temp_dir.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ezio {

using test::Call;
using test::FaultyCalls;
using test::TempDir;

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

TEST_CASE("fd: a path is real without links, and before there is anything by its name")
{
    const TempDir dir;
    const std::filesystem::path before = std::filesystem::current_path();
    const std::string real = std::filesystem::canonical(dir.path()).string();
    std::filesystem::create_directory_symlink(dir.path(), dir / "link");
    std::filesystem::current_path(dir.path());
    CHECK(real_path("new") == real + "/new");
    CHECK(real_path("link/new") == real + "/new");
    CHECK(real_path("./link/../new") == directory_of(real) + "/new");
    std::filesystem::current_path(before);
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

TEST_CASE("directory of: what is before the last slash, or where the process is")
{
    CHECK(directory_of("/srv/images/sda1.img") == "/srv/images");
    CHECK(directory_of("/sda1.img") == "/");
    CHECK(directory_of("images/sda1.img") == "images");
    CHECK(directory_of("sda1.img") == ".");
}

TEST_CASE("sync of a directory: it says what went wrong")
{
    const TempDir dir;
    CHECK(sync_directory(dir.path()) == 0);
    CHECK(sync_directory(dir / "missing") == ENOENT);
    test::write_file(dir / "file", "");
    CHECK(sync_directory(dir / "file") == ENOTDIR);
    const FaultyCalls syncs(Call::fsync, {{EINTR}, {EIO}});
    CHECK(sync_directory(dir.path()) == EIO);
    CHECK(syncs.calls() == 2);
}

TEST_CASE("sync of a directory: one that cannot be synced from here is left to the kernel")
{
    const TempDir dir;
    {
        const FaultyCalls syncs(Call::fsync, {{EINVAL}}); // some file systems of networks
        CHECK(sync_directory(dir.path()) == 0);
    }
    std::filesystem::permissions(dir.path(), std::filesystem::perms(0333));
    {
        const test::Unprivileged nobody;
        CHECK(sync_directory(dir.path()) == 0);
    }
    std::filesystem::permissions(dir.path(), std::filesystem::perms(0777)); // so that it can be removed
}

TEST_CASE(
    "sync of a range: it is asked for until no signal interrupts it, and where there is none it is left")
{
    const TempDir dir;
    test::write_file(dir / "file", "some");
    const Fd fd(::open((dir / "file").c_str(), O_RDWR | O_CLOEXEC));
    const FaultyCalls calls(Call::sync_file_range, {{EINTR}, {0}, {EINTR}, {EIO}, {EINVAL}, {ENOSYS}});
    for (const int result : {0, EIO, 0, 0, 0}) {
        CHECK(sync_range(fd, 0, 4, SYNC_FILE_RANGE_WRITE) == result);
    }
    CHECK(calls.calls() == 7);
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

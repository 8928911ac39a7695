// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/error.hpp"

#include "expect_error.hpp"

#include <cerrno>

namespace ezio {

using test::refusal_of;

namespace {

IoFailure failed_write()
{
    return {IoFailure::Operation::write, "/dev/sda1", ENOSPC, 8192, 4096};
}

} // namespace

TEST_CASE("error: a failed write says where, how much and why")
{
    CHECK(failed_write().message() ==
          "/dev/sda1: write of 4096 bytes at offset 8192 failed: No space left on device");
}

TEST_CASE("error: a read beyond the end has no errno, and says so")
{
    const IoFailure failure{IoFailure::Operation::read, "disk.img", end_of_file, 0, 512};
    CHECK(failure.message() == "disk.img: read of 512 bytes at offset 0 failed: end of file");
}

TEST_CASE("error: where no bytes are concerned none are mentioned")
{
    CHECK(IoFailure{IoFailure::Operation::sync, "a", EIO}.message() == "a: sync failed: Input/output error");
    CHECK(IoFailure{IoFailure::Operation::open, "a", EMFILE}.message() ==
          "a: open failed: Too many open files");
    CHECK(IoFailure{IoFailure::Operation::resize, "a", EFBIG, 0, 9}.message() ==
          "a: resize failed: File too large");
}

TEST_CASE("error: a file that is gone, or not whole, says what became of it")
{
    CHECK(IoFailure{IoFailure::Operation::sync, "a.img", ESTALE}.message() ==
          "a.img was removed or replaced while it was in use: what was written there is lost");
    CHECK(IoFailure{IoFailure::Operation::sync, "a.img", end_of_file}.message() ==
          "a.img was cut short while it was written: what was written there is lost");
}

TEST_CASE("error: a failure becomes an error with the status for I/O and keeps its details")
{
    const Error error(failed_write());
    CHECK(error.status() == ExitStatus::io);
    CHECK(error.what() == failed_write().message());
    REQUIRE(error.io_failure());
    CHECK(error.io_failure()->error == ENOSPC);
    CHECK_FALSE(Error(ExitStatus::usage, "no").io_failure());
}

TEST_CASE("error: throw_if throws the failure, and nothing when there is none")
{
    CHECK_NOTHROW(throw_if(std::nullopt));
    const auto refusal = refusal_of([] { throw_if(failed_write()); });
    CHECK(refusal.status == ExitStatus::io);
    CHECK(refusal.message == failed_write().message());
}

TEST_CASE("error: the exit statuses are what the manual page says")
{
    const auto number = [](ExitStatus status) { return static_cast<int>(status); };
    CHECK(number(ExitStatus::done) == 0);
    CHECK(number(ExitStatus::internal) == 1);
    CHECK(number(ExitStatus::usage) == 2);
    CHECK(number(ExitStatus::torrent) == 3);
    CHECK(number(ExitStatus::target) == 4);
    CHECK(number(ExitStatus::io) == 5);
    CHECK(number(ExitStatus::network) == 6);
    CHECK(number(ExitStatus::stalled) == 7);
    CHECK(number(ExitStatus::verification) == 8);
    CHECK(number(ExitStatus::interrupted) == 130);
    CHECK(number(ExitStatus::hung_up) == 129);
    CHECK(number(ExitStatus::terminated) == 143);
}

} // namespace ezio

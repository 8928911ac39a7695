// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/fd_target.hpp"

#include "faults.hpp"
#include "loop_device.hpp"
#include "open_target.hpp"
#include "temp_dir.hpp"

#include <cerrno>

namespace ezio {

using test::Call;
using test::Fault;
using test::FaultyCalls;
using test::read_text;
using test::small_image;
using test::TempDir;
using test::write_text;

TEST_CASE("descriptor target: what is written is read back, synced, and nothing around it is touched")
{
    const TempDir dir;
    test::write_file(dir / "file", std::string(1_MiB, '\xff'));
    const auto target = open_target(dir / "file", Access::read_write, small_image());
    CHECK_FALSE(write_text(*target, 4097, "odd"));
    CHECK_FALSE(target->write_behind({4096, 4096}, 4096));
    CHECK_FALSE(target->sync());
    CHECK(read_text(*target, 4096, 5) == "\xff"
                                         "odd"
                                         "\xff");
    CHECK(test::read_file(dir / "file").substr(4096, 5) == "\xff"
                                                           "odd"
                                                           "\xff");
}

TEST_CASE("descriptor target: a read beyond the end of the file is a failure without errno")
{
    const TempDir dir;
    const auto target = open_target(dir / "file", Access::read_write, small_image());
    std::vector<std::byte> data(4096);
    const auto failure = target->read_at(1_MiB - 100, data);
    REQUIRE(failure);
    CHECK(failure->operation == IoFailure::Operation::read);
    CHECK(failure->path == dir / "file");
    CHECK(failure->offset == 1_MiB - 100);
    CHECK(failure->length == 4096);
    CHECK(failure->error == end_of_file);
}

TEST_CASE("descriptor target: a failed write, read and sync say what failed")
{
    const TempDir dir;
    const auto target = open_target(dir / "file", Access::read_write, small_image());
    {
        const FaultyCalls writes(Call::pwritev, {{0, 2}, {ENOSPC}});
        const auto failure = write_text(*target, 8192, "four");
        REQUIRE(failure);
        CHECK(failure->message() ==
              (dir / "file") + ": write of 4 bytes at offset 8192 failed: No space left on device");
    }
    {
        const FaultyCalls reads(Call::preadv, {{EIO}});
        std::vector<std::byte> data(16);
        const auto failure = target->read_at(0, data);
        REQUIRE(failure);
        CHECK(failure->operation == IoFailure::Operation::read);
        CHECK(failure->error == EIO);
    }
    const FaultyCalls syncs(Call::fsync, {{EINTR}, {EIO}});
    const auto failure = target->sync();
    REQUIRE(failure);
    CHECK(failure->operation == IoFailure::Operation::sync);
    CHECK(failure->error == EIO);
    CHECK(syncs.calls() == 2);
}

// It is not enough that fsync(2) may say so later: the kernel tells each error once, and here it was told.
TEST_CASE("descriptor target: a write-back that cannot be started or waited for is a failure with its range")
{
    const TempDir dir;
    const auto target = open_target(dir / "file", Access::read_write, small_image());
    REQUIRE_FALSE(write_text(*target, 8192, "some"));
    for (const std::vector<Fault>& faults : {std::vector<Fault>{{EIO}}, {{0}, {EINTR}, {EIO}}}) {
        const FaultyCalls calls(Call::sync_file_range, faults);
        const auto failure = target->write_behind({8192, 4096}, write_behind_limit + 1);
        REQUIRE(failure);
        CHECK(calls.calls() == faults.size());
        CHECK(failure->message() ==
              (dir / "file") + ": write-back of 4096 bytes at offset 8192 failed: Input/output error");
    }
}

TEST_CASE("descriptor target: where a write-back cannot be started early, all is left to the sync")
{
    const TempDir dir;
    const auto target = open_target(dir / "file", Access::read_write, small_image());
    for (const int error : {EINVAL, ENOSYS, ESPIPE}) {
        const FaultyCalls calls(Call::sync_file_range, {{error}, {error}});
        CHECK_FALSE(target->write_behind({8192, 4096}, write_behind_limit + 1));
        CHECK(calls.calls() == 2);
    }
}

TEST_CASE("descriptor target: a file is discarded in blocks of its file system, a device in sectors")
{
    const TempDir dir;
    test::make_sparse_file(dir / "file", 1_MiB);
    const auto file = open_target(dir / "file", Access::read_write, small_image())->discard_geometry();
    REQUIRE(file);
    CHECK(file->size == 1_MiB);
    CHECK(file->alignment >= 512);
    const auto device = test::attach(dir / "file");
    if (!device) {
        return;
    }
    const auto disk = open_target(device->path(), Access::read_write, small_image())->discard_geometry();
    REQUIRE(disk);
    CHECK(disk->size == 1_MiB);
    CHECK(disk->alignment == 512);
}

TEST_CASE("descriptor target: a write to a descriptor that is only for reading fails")
{
    const TempDir dir;
    test::make_sparse_file(dir / "file", 1_MiB);
    const auto target = open_target(dir / "file", Access::read_only, small_image());
    const auto failure = write_text(*target, 0, "no");
    REQUIRE(failure);
    CHECK(failure->error == EBADF);
}

} // namespace ezio

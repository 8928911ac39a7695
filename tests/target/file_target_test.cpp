// SPDX-License-Identifier: GPL-2.0-or-later
//
// How raw image files are opened, created and refused.
#include "ezio/target/fd_target.hpp"

#include "faults.hpp"
#include "loop_device.hpp"
#include "open_target.hpp"
#include "temp_dir.hpp"

#include <cerrno>
#include <cstdlib>

#include <sys/swap.h>

namespace ezio {

using test::Call;
using test::contains;
using test::FaultyCalls;
using test::image_of;
using test::refusal_to_open;
using test::small_image;
using test::TempDir;
using test::write_text;

namespace {

std::uint64_t allocated_bytes(const std::string& path)
{
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * 512 : 0;
}

} // namespace

TEST_CASE("image file: a missing one is created sparse, as long as the image needs, for its owner only")
{
    const TempDir dir;
    const auto target = open_target(dir / "new", Access::read_write, small_image());
    CHECK(target->path() == dir / "new");
    CHECK(std::filesystem::file_size(dir / "new") == 1_MiB);
    CHECK(allocated_bytes(dir / "new") == 0);
    const auto mode = std::filesystem::status(dir / "new").permissions();
    CHECK((mode & std::filesystem::perms(077)) == std::filesystem::perms::none);
}

TEST_CASE("image file: the name of a new one is on the disk, or it is refused and removed")
{
    const TempDir dir;
    {
        const FaultyCalls syncs(Call::fsync, {{EIO}});
        const auto refusal = refusal_to_open(dir / "new", Access::read_write);
        CHECK(refusal.status == ExitStatus::io);
        CHECK(refusal.message == dir.path() + ": sync failed: Input/output error");
    }
    CHECK(dir.entries() == 0);
    const FaultyCalls syncs(Call::fsync, {});
    (void)open_target(dir / "new", Access::read_write, small_image());
    CHECK(syncs.calls() == 1);
    (void)open_target(dir / "new", Access::read_write, small_image());
    CHECK(syncs.calls() == 1); // that name is not new
}

// For example to a disk that is not there: what the link is named says nothing of /dev.
TEST_CASE("image file: a symbolic link to nowhere is refused, and nothing is created at its end")
{
    const TempDir dir;
    std::filesystem::create_symlink(dir / "nowhere", dir / "link");
    const auto refusal = refusal_to_open(dir / "link", Access::read_write);
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message == (dir / "link") + " cannot be created: File exists");
    CHECK_FALSE(std::filesystem::exists(dir / "nowhere"));
}

TEST_CASE("image file: one that is too short is grown, and keeps what it has")
{
    const TempDir dir;
    test::write_file(dir / "old", "what was there");
    (void)open_target(dir / "old", Access::read_write, small_image());
    CHECK(std::filesystem::file_size(dir / "old") == 1_MiB);
    CHECK(test::read_file(dir / "old").starts_with("what was there"));
}

TEST_CASE("image file: one that is longer than the image keeps its length")
{
    const TempDir dir;
    test::make_sparse_file(dir / "long", 2_MiB);
    (void)open_target(dir / "long", Access::read_write, small_image());
    CHECK(std::filesystem::file_size(dir / "long") == 2_MiB);
}

TEST_CASE("image file: one that is shorter than the image is refused as a source, with both sizes")
{
    const TempDir dir;
    test::make_sparse_file(dir / "short", 1_MiB - 1);
    const auto refusal = refusal_to_open(dir / "short", Access::read_only);
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("1048575 bytes") && contains("1048576 bytes"));
    CHECK(std::filesystem::file_size(dir / "short") == 1_MiB - 1);
}

TEST_CASE("image file: a missing one is refused as a source, and not created")
{
    const TempDir dir;
    const auto refusal = refusal_to_open(dir / "missing", Access::read_only);
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("missing: No such file or directory"));
    CHECK(dir.entries() == 0);
}

TEST_CASE("image file: one in a missing directory is refused")
{
    const TempDir dir;
    CHECK(refusal_to_open(dir / "no/file", Access::read_write).status == ExitStatus::target);
}

TEST_CASE("image file: a read-only one is refused for writing, and read")
{
    const TempDir dir;
    test::make_sparse_file(dir / "file", 1_MiB);
    std::filesystem::permissions(dir / "file", std::filesystem::perms(0444));
    const test::Unprivileged nobody;
    const auto refusal = refusal_to_open(dir / "file", Access::read_write);
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("cannot be opened for writing: Permission denied"));
    CHECK_NOTHROW(open_target(dir / "file", Access::read_only, small_image()));
}

TEST_CASE("image file: a directory that may not be written to is refused")
{
    const TempDir dir;
    std::filesystem::permissions(dir.path(), std::filesystem::perms(0555));
    const test::Unprivileged nobody;
    const auto refusal = refusal_to_open(dir / "new", Access::read_write);
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("cannot be created: Permission denied"));
}

TEST_CASE("image file: a second writer is refused, readers are not, and the first goes on")
{
    const TempDir dir;
    const auto first = open_target(dir / "file", Access::read_write, small_image());
    const auto refusal = refusal_to_open(dir / "file", Access::read_write);
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("is being written by another process"));
    CHECK_NOTHROW(open_target(dir / "file", Access::read_only, small_image()));
    CHECK_FALSE(write_text(*first, 0, "still there"));
    CHECK(test::read_file(dir / "file").starts_with("still there"));
}

TEST_CASE("image file: one that a loop device shows, but nobody has mounted, is written")
{
    const TempDir dir;
    test::make_sparse_file(dir / "disk", 1_MiB);
    const auto device = test::attach(dir / "disk");
    if (!device) {
        return;
    }
    CHECK_NOTHROW(open_target(dir / "disk", Access::read_write, small_image()));
}

TEST_CASE("image file: one that is swap is refused, and so is a loop device upon it")
{
    const TempDir dir;
    test::write_file(dir / "swap file", std::string(1_MiB, '\0')); // without holes
    const auto device = test::attach(dir / "swap file");
    if (!device) {
        return;
    }
    const std::string command =
        "PATH=$PATH:/usr/sbin:/sbin; mkswap '" + (dir / "swap file") + "' >/dev/null 2>&1";
    if (std::system(command.c_str()) != 0 || ::swapon((dir / "swap file").c_str(), 0) != 0) {
        WARN("skipped: needs mkswap and swapon");
        return;
    }
    std::vector<std::string> messages;
    try {
        messages.push_back(refusal_to_open(dir / "swap file", Access::read_write).message);
        messages.push_back(refusal_to_open(device->path(), Access::read_write).message);
    } catch (...) { // a failed test must not leave it there
    }
    REQUIRE(::swapoff((dir / "swap file").c_str()) == 0);
    REQUIRE(messages.size() == 2);
    CHECK(messages[0] == (dir / "swap file") + " is in use as swap; run swapoff first");
    CHECK_THAT(messages[1], contains("is swap; run swapoff first"));
}

// FUSE file systems and EROFS do; what is mounted here does not matter.
TEST_CASE("image file: one that something has mounted without a loop device is refused")
{
    const TempDir dir;
    std::filesystem::create_directory(dir / "mounted");
    test::make_sparse_file(dir / "disk", 1_MiB);
    const auto mounted = test::mount(dir / "disk", dir / "mounted", "tmpfs");
    if (!mounted) {
        return;
    }
    CHECK(refusal_to_open(dir / "disk", Access::read_write).message ==
          (dir / "disk") + " is mounted on " + (dir / "mounted") + "; unmount it first");
    CHECK_NOTHROW(open_target(dir / "disk", Access::read_only, small_image()));
}

TEST_CASE(
    "image file: one that is removed, replaced or cut short while it is written is a failure in the end")
{
    const TempDir dir;
    std::filesystem::create_directory(dir / "images");
    const std::string file = dir / "images/disk";
    const auto target = open_target(file, Access::read_write, small_image());
    const auto loss = [&] {
        const auto failure = target->sync();
        REQUIRE(failure);
        CHECK(failure->operation == IoFailure::Operation::sync);
        CHECK(failure->path == file);
        return failure->error;
    };
    CHECK_FALSE(target->sync());

    std::filesystem::rename(file, dir / "kept");
    CHECK(loss() == ESTALE);
    test::make_sparse_file(file, 1_MiB); // another one
    CHECK(loss() == ESTALE);
    std::filesystem::rename(dir / "kept", file);
    CHECK_FALSE(target->sync());

    std::filesystem::resize_file(file, 1_MiB - 1);
    CHECK(loss() == end_of_file);
    std::filesystem::resize_file(file, 1_MiB);
    CHECK_FALSE(target->sync());

    std::filesystem::rename(dir / "images", dir / "moved");
    CHECK(loss() == ESTALE);
    std::filesystem::rename(dir / "moved", dir / "images");
    {
        std::filesystem::permissions(dir / "images", std::filesystem::perms(0)); // after --user
        const test::Unprivileged nobody;
        CHECK_FALSE(target->sync()); // it cannot be told
    }
    std::filesystem::permissions(dir / "images", std::filesystem::perms(0700));
    std::filesystem::remove(file);
    CHECK(loss() == ESTALE);
}

TEST_CASE("image file: nobody asks what became of one that is only read")
{
    const TempDir dir;
    test::make_sparse_file(dir / "disk", 1_MiB);
    const auto target = open_target(dir / "disk", Access::read_only, small_image());
    std::filesystem::remove(dir / "disk");
    CHECK_FALSE(target->sync());
}

TEST_CASE("image file: when it cannot grow it is refused, and a new one removed")
{
    const TempDir dir;
    const test::FileSizeLimit limit(64_KiB);
    const auto refusal = refusal_to_open(dir / "new", Access::read_write);
    CHECK(refusal.status == ExitStatus::io);
    CHECK_THAT(refusal.message, contains("resize failed: File too large"));
    CHECK(dir.entries() == 0);
}

TEST_CASE("image file: a file system without room is refused before anything is written")
{
    const TempDir dir;
    const auto mounted = test::mount("none", dir.path(), "tmpfs", 0, "size=256k");
    if (!mounted) {
        return;
    }
    test::write_file(dir / "old", "old");
    const Image image = image_of({{0, 300_KiB}});
    const auto refusal = refusal_to_open(dir / "new", Access::read_write, image);
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("free, the image needs 300.0 KiB"));
    CHECK(refusal_to_open(dir / "old", Access::read_write, image).status == ExitStatus::target);
    CHECK(dir.entries() == 1);
    CHECK(test::read_file(dir / "old") == "old");
    CHECK_NOTHROW(open_target(dir / "new", Access::read_write, small_image())); // 64 KiB, sparse
}

TEST_CASE("image file: space that an old file takes already counts as room")
{
    const TempDir dir;
    const auto mounted = test::mount("none", dir.path(), "tmpfs", 0, "size=256k");
    if (!mounted) {
        return;
    }
    test::write_file(dir / "old", std::string(200_KiB, 'x'));
    CHECK_NOTHROW(open_target(dir / "old", Access::read_write, image_of({{0, 200_KiB}})));
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/target_claims.hpp"

#include "loop_device.hpp"
#include "open_target.hpp"
#include "temp_dir.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>

namespace ezio {

using test::attach;
using test::contains;
using test::refusal_of;
using test::refusal_to_open;
using test::small_image;
using test::TempDir;

namespace {

Fd opened(const std::string& path, int mode = O_RDWR)
{
    Fd fd(::open(path.c_str(), mode | O_CLOEXEC));
    REQUIRE(fd);
    return fd;
}

// As QEMU has one on the disk of a virtual machine.
bool has_read_lock(const Fd& fd)
{
    struct flock lock {};
    lock.l_type = F_RDLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 100;
    lock.l_len = 1;
    return ::fcntl(fd.get(), F_OFD_SETLK, &lock) == 0;
}

} // namespace

TEST_CASE("target claims: a file is one writer's until its descriptor is closed")
{
    const TempDir dir;
    test::write_file(dir / "file", "");
    {
        const Fd first = opened(dir / "file");
        const Fd second = opened(dir / "file");
        CHECK(refuse_second_writer(first, "first") == 0);
        CHECK(refusal_of([&] { (void)refuse_second_writer(second, "second"); }).message ==
              "second is being written by another process");
    }
    const Fd third = opened(dir / "file");
    CHECK(refuse_second_writer(third, "third") == 0);
}

TEST_CASE("target claims: who has locked a byte of the file is not written under, nor begins while it is")
{
    const TempDir dir;
    test::write_file(dir / "file", "");
    {
        const Fd machine = opened(dir / "file");
        REQUIRE(has_read_lock(machine));
        const auto refusal = refusal_to_open(dir / "file", Access::read_write);
        CHECK(refusal.status == ExitStatus::target);
        CHECK_THAT(refusal.message, contains("file is in use by another process (a virtual machine?)"));
        CHECK(std::filesystem::file_size(dir / "file") == 0); // it did not grow
        CHECK_NOTHROW(open_target(dir / "file", Access::read_only, test::image_of({})));
    }
    const auto target = open_target(dir / "file", Access::read_write, small_image());
    CHECK_FALSE(has_read_lock(opened(dir / "file")));
}

TEST_CASE("target claims: a loop device is not written while its file is, nor the other way round")
{
    const TempDir dir;
    test::make_sparse_file(dir / "disk", 1_MiB);
    const auto device = attach(dir / "disk");
    const auto other = device ? attach(dir / "disk") : std::nullopt;
    if (!other) {
        return;
    }
    {
        const auto file = open_target(dir / "disk", Access::read_write, small_image());
        const auto refusal = refusal_to_open(device->path(), Access::read_write);
        CHECK(refusal.status == ExitStatus::target);
        CHECK(refusal.message == device->path() + " is in use: the file below it, " + (dir / "disk") +
                                     ", is being written by another process");
        CHECK_NOTHROW(open_target(device->path(), Access::read_only, small_image()));
    }
    const auto shown = open_target(device->path(), Access::read_write, small_image());
    CHECK(shown->doubt().empty());
    CHECK(refusal_to_open(dir / "disk", Access::read_write).status == ExitStatus::target);
    CHECK(refusal_to_open(other->path(), Access::read_write).status == ExitStatus::target);
    CHECK_NOTHROW(open_target(dir / "disk", Access::read_only, small_image()));
}

TEST_CASE("target claims: a sibling that something has claimed is named, one that is only open is no matter")
{
    const TempDir dir;
    test::make_sparse_file(dir / "disk", 1_MiB);
    const auto device = attach(dir / "disk");
    const auto sibling = device ? attach(dir / "disk") : std::nullopt;
    if (!sibling) {
        return;
    }
    {
        const Fd claim = opened(sibling->path(), O_RDONLY | O_EXCL); // as a mount does, or swap
        const auto refusal = refusal_to_open(device->path(), Access::read_write);
        CHECK(refusal.status == ExitStatus::target);
        CHECK_THAT(refusal.message,
                   contains(sibling->path() + ", which shows " + (dir / "disk") + " as well, is claimed"));
        CHECK_NOTHROW(open_target(device->path(), Access::read_only, small_image()));
    }
    CHECK_NOTHROW(open_target(device->path(), Access::read_write, small_image()));
}

TEST_CASE("target claims: a device below a loop device is claimed, too")
{
    const TempDir dir;
    test::make_sparse_file(dir / "disk", 1_MiB);
    const auto lower = attach(dir / "disk");
    const auto upper = lower ? attach(lower->path()) : std::nullopt;
    if (!upper) {
        return;
    }
    {
        const Fd claim = opened(lower->path(), O_RDONLY | O_EXCL);
        const auto refusal = refusal_to_open(upper->path(), Access::read_write);
        CHECK(refusal.status == ExitStatus::target);
        CHECK_THAT(refusal.message, contains("something else has claimed " + lower->path() + " below it"));
    }
    const auto target = open_target(upper->path(), Access::read_write, small_image());
    CHECK(refusal_to_open(lower->path(), Access::read_write).status == ExitStatus::target);
    CHECK(refusal_to_open(dir / "disk", Access::read_write).status == ExitStatus::target);
}

TEST_CASE("target claims: a name that leads to another file is a doubt")
{
    const TempDir dir;
    std::filesystem::create_directory(dir / "place");
    test::make_sparse_file(dir / "place/disk", 1_MiB);
    const auto device = attach(dir / "place/disk");
    if (!device) {
        return;
    }
    const auto mounted = test::mount("none", dir / "place", "tmpfs");
    if (!mounted) {
        return;
    }
    test::make_sparse_file(dir / "place/disk", 1_MiB); // what the kernel's name leads to now
    CHECK_THAT(open_target(device->path(), Access::read_write, small_image())->doubt(),
               contains(device->path() + " shows the file " + (dir / "place/disk") +
                        ", which cannot be opened here"));
}

} // namespace ezio

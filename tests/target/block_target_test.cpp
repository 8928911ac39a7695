// SPDX-License-Identifier: GPL-2.0-or-later
//
// How block devices are opened and refused: real ones, so these run as root only.
#include "ezio/target/fd_target.hpp"

#include "faults.hpp"
#include "loop_device.hpp"
#include "open_target.hpp"
#include "temp_dir.hpp"

#include <cstdlib>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/swap.h>

namespace ezio {

using test::attach;
using test::contains;
using test::LoopDevice;
using test::read_text;
using test::refusal_to_open;
using test::small_image;
using test::TempDir;
using test::write_text;

namespace {

// A file of `size` bytes, as a block device.
std::optional<LoopDevice> loop_device(const TempDir& dir, std::uint64_t size,
                                      LoopDevice::Mode mode = LoopDevice::Mode::read_write)
{
    test::make_sparse_file(dir / "disk", size);
    return attach(dir / "disk", mode);
}

bool run(const std::string& command)
{
    return std::system(("PATH=$PATH:/usr/sbin:/sbin; " + command + " >/dev/null 2>&1").c_str()) == 0;
}

void check_mounted_one_is_refused(const std::string& type, const std::string& mkfs)
{
    const TempDir dir;
    std::filesystem::create_directory(dir / "a place");
    const auto device = loop_device(dir, 128_MiB);
    if (!device) {
        return;
    }
    if (!run(mkfs + " " + device->path())) {
        WARN("skipped: needs " << mkfs);
        return;
    }
    const auto mounted = test::mount(device->path(), dir / "a place", type);
    if (!mounted) {
        return;
    }
    const auto refusal = refusal_to_open(device->path(), Access::read_write);
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message == device->path() + " is mounted on " + (dir / "a place") + "; unmount it first");
}

} // namespace

TEST_CASE("block device: what is written is on the device, and what is around it is not touched")
{
    const TempDir dir;
    const auto device = loop_device(dir, 1_MiB);
    if (!device) {
        return;
    }
    {
        const auto target = open_target(device->path(), Access::read_write, small_image());
        CHECK_FALSE(write_text(*target, 4097, "odd"));
        CHECK_FALSE(target->write_behind({4096, 4096}, 4096));
        CHECK_FALSE(target->sync());
    }
    CHECK(test::read_file(dir / "disk").substr(4096, 5) == std::string("\0odd\0", 5));
    const auto target = open_target(device->path(), Access::read_only, small_image());
    CHECK(read_text(*target, 4097, 3) == "odd");
}

TEST_CASE("block device: one that is too small is refused with both sizes, for writing and as a source")
{
    const TempDir dir;
    const auto device = loop_device(dir, 1_MiB - 512);
    if (!device) {
        return;
    }
    for (const Access access : {Access::read_write, Access::read_only}) {
        const auto refusal = refusal_to_open(device->path(), access);
        CHECK(refusal.status == ExitStatus::target);
        CHECK(refusal.message == device->path() +
                                     " is 1023.5 KiB (1048064 bytes), the image needs 1.0 MiB (1048576 "
                                     "bytes)");
    }
}

TEST_CASE("block device: one that another program holds is refused")
{
    const TempDir dir;
    const auto device = loop_device(dir, 1_MiB);
    if (!device) {
        return;
    }
    const Fd holder(::open(device->path().c_str(), O_RDWR | O_EXCL | O_CLOEXEC));
    REQUIRE(holder);
    const auto refusal = refusal_to_open(device->path(), Access::read_write);
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("is in use by something that cannot be seen from here"));
}

TEST_CASE("block device: one that is being written is refused for a second writer")
{
    const TempDir dir;
    const auto device = loop_device(dir, 1_MiB);
    if (!device) {
        return;
    }
    const auto first = open_target(device->path(), Access::read_write, small_image());
    CHECK(refusal_to_open(device->path(), Access::read_write).status == ExitStatus::target);
    CHECK_NOTHROW(open_target(device->path(), Access::read_only, small_image()));
}

TEST_CASE("block device: a read-only one is refused for writing, and read")
{
    const TempDir dir;
    const auto device = loop_device(dir, 1_MiB, LoopDevice::Mode::read_only);
    if (!device) {
        return;
    }
    const auto refusal = refusal_to_open(device->path(), Access::read_write);
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("is read-only; see blockdev --setrw"));
    CHECK_NOTHROW(open_target(device->path(), Access::read_only, small_image()));
}

TEST_CASE("block device: a host-managed zoned one is refused for writing, and read")
{
    const TempDir dir;
    const auto device = loop_device(dir, 1_MiB);
    if (!device) {
        return;
    }
    test::write_file(dir / "zoned", "host-managed\n");
    const std::string name = std::filesystem::path(device->path()).filename();
    const auto pretended = test::mount(dir / "zoned", "/sys/block/" + name + "/queue/zoned", "", MS_BIND);
    if (!pretended) {
        return;
    }
    const auto refusal = refusal_to_open(device->path(), Access::read_write);
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message ==
          device->path() + " is a host-managed zoned disk, which takes writes only in sequence; the image "
                           "needs a disk that takes them in any order");
    CHECK_NOTHROW(open_target(device->path(), Access::read_only, small_image()));
}

TEST_CASE("block device: without the right to write it is refused")
{
    const TempDir dir;
    const auto device = loop_device(dir, 1_MiB);
    if (!device) {
        return;
    }
    const test::Unprivileged nobody;
    const auto refusal = refusal_to_open(device->path(), Access::read_write);
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("no permission to write") && contains("are you root?"));
}

TEST_CASE("block device: a mounted one is refused and the mount point named")
{
    check_mounted_one_is_refused("ext4", "mkfs.ext4 -q -F");
}

TEST_CASE("block device: a mounted btrfs, which has a device number of its own, is refused by name as well")
{
    check_mounted_one_is_refused("btrfs", "mkfs.btrfs -q -f");
}

TEST_CASE("block device: one that is in use as swap is refused")
{
    const TempDir dir;
    const auto device = loop_device(dir, 1_MiB);
    if (!device) {
        return;
    }
    if (!run("mkswap " + device->path()) || ::swapon(device->path().c_str(), 0) != 0) {
        WARN("skipped: needs mkswap and swapon");
        return;
    }
    test::Refusal refusal{};
    try {
        refusal = refusal_to_open(device->path(), Access::read_write);
    } catch (...) { // a failed test must not leave it there
    }
    REQUIRE(::swapoff(device->path().c_str()) == 0);
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("is in use as swap"));
}

} // namespace ezio

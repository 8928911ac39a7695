// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/device_use.hpp"

#include "catch.hpp"
#include "expect_error.hpp"
#include "loop_device.hpp"
#include "temp_dir.hpp"

#include "ezio/util/units.hpp"

#include <cstdlib>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace ezio {

using test::TempDir;

namespace {

dev_t number_of(const std::string& path)
{
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_rdev;
}

// A loop device with a small ext4 on it; empty where the test has to be skipped.
std::optional<test::LoopDevice> ext4_device(const TempDir& dir)
{
    test::make_sparse_file(dir / "disk.img", 4_MiB);
    auto device = test::attach(dir / "disk.img");
    if (device) {
        REQUIRE(std::system(("PATH=$PATH:/sbin:/usr/sbin mkfs.ext4 -q " + device->path()).c_str()) == 0);
        std::filesystem::create_directory(dir / "mounted here");
    }
    return device;
}

} // namespace

TEST_CASE("mounts: device, source, place and whether it is read-only are found")
{
    const auto mounts =
        parse_mountinfo("25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
                        "26 25 8:2 / /mnt/my\\040disk ro master:2 shared:3 - ext4 /dev/sda2 rw\n"
                        "27 25 0:40 /sub /data rw - btrfs /dev/sdb1 ro,subvolid=5\n"
                        "28 25 0:5 / /dev rw - devtmpfs udev ro\n");
    CHECK(mounts == std::vector<Mounted>{{makedev(8, 1), "/dev/sda1", "/", false},
                                         {makedev(8, 2), "/dev/sda2", "/mnt/my disk", false},
                                         {makedev(0, 40), "/dev/sdb1", "/data", true},
                                         {makedev(0, 5), "udev", "/dev", true}});
}

TEST_CASE("mounts: a backslash that begins no number stays, lines of another form are left out")
{
    const auto mounts =
        parse_mountinfo("\nnothing\n1 2 3 - ext4\n1 2 8:1 / /a\\9b\\ rw - ext4 /dev/sda1 rw\n");
    REQUIRE(mounts.size() == 1);
    CHECK(mounts[0].point == "/a\\9b\\");
}

TEST_CASE("mounts: a device that is mounted is found by its number and by its backing file")
{
    const TempDir dir;
    const auto device = ext4_device(dir);
    if (!device) {
        return;
    }
    CHECK(uses_of(number_of(device->path())).empty());
    CHECK(uses_of_file(dir / "disk.img").empty());
    const auto mount = test::mount(device->path(), dir / "mounted here", "ext4", MS_RDONLY);
    if (!mount) {
        return;
    }
    for (const auto& uses : {uses_of(number_of(device->path())), uses_of_file(dir / "disk.img")}) {
        REQUIRE(uses.size() == 1);
        CHECK(uses[0].device == device->path());
        CHECK(uses[0].point == dir / "mounted here");
        CHECK(uses[0].read_only);
    }
}

TEST_CASE("mounts: a loop device that is claimed is found below others, by whatever it is claimed")
{
    const TempDir dir;
    test::make_sparse_file(dir / "disk.img", 16_MiB);
    const auto lower = test::attach(dir / "disk.img");
    const auto upper = lower ? test::attach(lower->path()) : std::nullopt;
    if (!upper) {
        return;
    }
    CHECK(claimed_loop_device(dir / "disk.img").empty()); // attached is not claimed
    CHECK(claimed_loop_device(lower->path()).empty());
    const Fd claim(::open(upper->path().c_str(), O_RDONLY | O_EXCL | O_CLOEXEC)); // as a mount does, or swap
    REQUIRE(claim);
    CHECK(claimed_loop_device(lower->path()) == upper->path());
    CHECK(claimed_loop_device(dir / "disk.img") == upper->path());
    CHECK(claimed_loop_device(upper->path()).empty()); // nothing is upon it
    CHECK_THAT(test::refusal_of([&] { refuse_used_loop(lower->path(), {}); }).message,
               test::contains("in use through " + upper->path()));
}

TEST_CASE("mounts: a file system on a loop device upon a device is one on the device")
{
    const TempDir dir;
    const auto lower = ext4_device(dir);
    const auto upper = lower ? test::attach(lower->path()) : std::nullopt;
    const auto mount =
        upper ? test::mount(upper->path(), dir / "mounted here", "ext4", MS_RDONLY) : std::nullopt;
    if (!mount) {
        return;
    }
    const auto uses = uses_of(number_of(lower->path()));
    REQUIRE(uses.size() == 1);
    CHECK(uses[0].device == upper->path());
}

TEST_CASE("mounts: a device without partitions has none")
{
    const TempDir dir;
    test::make_sparse_file(dir / "disk.img", 1_MiB);
    if (const auto device = test::attach(dir / "disk.img")) {
        CHECK(partition_devices(number_of(device->path())).empty());
    }
}

} // namespace ezio

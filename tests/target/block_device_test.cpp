// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/block_device.hpp"

#include "catch.hpp"
#include "expect_error.hpp"
#include "loop_device.hpp"
#include "fake_sysfs.hpp"
#include "temp_dir.hpp"

#include <fcntl.h>
#include <sys/sysmacros.h>

namespace ezio {

TEST_CASE("block device: its size is that of the medium")
{
    const test::TempDir dir;
    test::make_sparse_file(dir / "disk", 3 << 20);
    const auto device = test::attach(dir / "disk");
    if (device) {
        CHECK(device_size(Fd(::open(device->path().c_str(), O_RDONLY | O_CLOEXEC)), device->path()) ==
              3 << 20);
    }
}

TEST_CASE("block device: what is none has no size")
{
    const test::TempDir dir;
    test::make_sparse_file(dir / "file", 4096);
    const auto refusal = test::refusal_of(
        [&] { (void)device_size(Fd(::open((dir / "file").c_str(), O_RDONLY | O_CLOEXEC)), "FILE"); });
    CHECK(refusal.status == ExitStatus::io);
    CHECK(refusal.message == "FILE: open failed: Inappropriate ioctl for device");
}

TEST_CASE("block device: one that the system does not know does not rotate")
{
    CHECK_FALSE(is_rotational(makedev(4095, 1048575)));
}

TEST_CASE("block device: a disk and its partition are host-managed if sysfs says so of the disk")
{
    const test::FakeSysfs machine;
    const auto is_managed = [&](dev_t device) { return is_host_managed(device, machine.directories); };
    CHECK_FALSE(is_managed(machine.disk)); // a kernel without zones
    for (const char* model : {"none\n", "host-aware\n"}) {
        machine.write("sys/devices/sda/queue/zoned", model);
        CHECK_FALSE(is_managed(machine.disk));
        CHECK_FALSE(is_managed(machine.partition));
    }
    machine.write("sys/devices/sda/queue/zoned", "host-managed\n");
    CHECK(is_managed(machine.disk));
    CHECK(is_managed(machine.partition));
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/device_identity.hpp"

#include "catch.hpp"
#include "temp_dir.hpp"

#include <filesystem>
#include <fstream>

#include <sys/sysmacros.h>

namespace ezio {

using test::TempDir;
using Identities = std::vector<std::string>;

namespace {

// A machine with the disk 8:0, and its first partition 8:1, as sysfs shows it.
struct Machine {
    TempDir dir;
    DeviceDirectories directories{dir / "sys", dir / "udev"};

    Machine()
    {
        const std::filesystem::path disk = dir / "sys/devices/sda";
        std::filesystem::create_directories(disk / "sda1");
        std::filesystem::create_directories(disk / "device");
        std::filesystem::create_directories(dir / "sys/dev/block");
        std::filesystem::create_directories(dir / "udev/data");
        std::filesystem::create_symlink("../../devices/sda", dir / "sys/dev/block/8:0");
        std::filesystem::create_symlink("../../devices/sda/sda1", dir / "sys/dev/block/8:1");
        write("sys/devices/sda/dev", "8:0\n");
        write("sys/devices/sda/sda1/dev", "8:1\n");
        write("sys/devices/sda/sda1/partition", "1\n");
    }
    void write(const std::string& name, const std::string& text) const { std::ofstream(dir / name) << text; }
    [[nodiscard]] Identities disk() const { return device_identities(makedev(8, 0), directories); }
    [[nodiscard]] Identities partition() const { return device_identities(makedev(8, 1), directories); }
};

} // namespace

TEST_CASE("device identity: serial and world wide name of a disk, without the blanks around them")
{
    const Machine machine;
    machine.write("sys/devices/sda/device/serial", "  S3Z8NB0K123456\n");
    machine.write("sys/devices/sda/wwid", "eui.0025385b91b0cdef\n");
    CHECK(machine.disk() == Identities{"S3Z8NB0K123456", "eui.0025385b91b0cdef"});
}

TEST_CASE("device identity: a partition is known by its disk")
{
    const Machine machine;
    machine.write("sys/devices/sda/device/serial", "S3Z8\n");
    CHECK(machine.partition() == Identities{"S3Z8"});
}

TEST_CASE("device identity: the serial number page of a SCSI disk, and what udev knows")
{
    const Machine machine;
    machine.write("sys/devices/sda/device/vpd_pg80", std::string("\0\x80\0\x08", 4) + "  WD-1234");
    machine.write("udev/data/b8:0",
                  "S:disk/by-id/x\nE:ID_SERIAL=WDC_WD10_WD-1234\nE:ID_SERIAL_SHORT=WD-1234\n"
                  "E:ID_WWN=0x50014ee2b4\nE:ID_SERIALS=no\n");
    CHECK(machine.partition() == Identities{"WD-1234", "WDC_WD10_WD-1234", "0x50014ee2b4"});
}

TEST_CASE("device identity: nothing is known of a device that is not there, or says nothing")
{
    const Machine machine;
    CHECK(machine.disk().empty());
    CHECK(device_identities(makedev(99, 0), machine.directories).empty());
    machine.write("sys/devices/sda/device/vpd_pg80", std::string("\0\x80", 2));
    CHECK(machine.disk().empty());
}

TEST_CASE("device identity: case, blanks and the prefix of a world wide name do not matter, all else does")
{
    const Identities known{"S3Z8NB0K", "naa.50014ee2b4aabbcc"};
    for (const char* same :
         {"S3Z8NB0K", "s3z8nb0k", " S3Z8NB0K ", "50014EE2B4AABBCC", "0x50014ee2b4aabbcc"}) {
        CHECK(is_identity(same, known));
    }
    for (const char* other : {"", "S3Z8NB0", "S3Z8NB0KX", "50014ee2b4aabbc", "naa."}) {
        CHECK_FALSE(is_identity(other, known));
    }
    CHECK_FALSE(is_identity("", {}));
}

} // namespace ezio

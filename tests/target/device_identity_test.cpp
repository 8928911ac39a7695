// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/device_identity.hpp"

#include "catch.hpp"
#include "fake_sysfs.hpp"

#include <filesystem>
#include <fstream>

#include <sys/sysmacros.h>

namespace ezio {

using Identities = std::vector<std::string>;

namespace {

struct Machine : test::FakeSysfs {
    [[nodiscard]] Identities identities() const { return device_identities(disk, directories); }
    [[nodiscard]] Identities identities_of_partition() const
    {
        return device_identities(partition, directories);
    }
};

} // namespace

TEST_CASE("device identity: serial and world wide name of a disk, without the blanks around them")
{
    const Machine machine;
    machine.write("sys/devices/sda/device/serial", "  S3Z8NB0K123456\n");
    machine.write("sys/devices/sda/wwid", "eui.0025385b91b0cdef\n");
    CHECK(machine.identities() == Identities{"S3Z8NB0K123456", "eui.0025385b91b0cdef"});
}

TEST_CASE("device identity: a partition is known by its disk")
{
    const Machine machine;
    machine.write("sys/devices/sda/device/serial", "S3Z8\n");
    CHECK(machine.identities_of_partition() == Identities{"S3Z8"});
}

TEST_CASE("device identity: the serial number page of a SCSI disk, and what udev knows")
{
    const Machine machine;
    machine.write("sys/devices/sda/device/vpd_pg80", std::string("\0\x80\0\x08", 4) + "  WD-1234");
    machine.write("udev/data/b8:0",
                  "S:disk/by-id/x\nE:ID_SERIAL=WDC_WD10_WD-1234\nE:ID_SERIAL_SHORT=WD-1234\n"
                  "E:ID_WWN=0x50014ee2b4\nE:ID_SERIALS=no\n");
    CHECK(machine.identities_of_partition() == Identities{"WD-1234", "WDC_WD10_WD-1234", "0x50014ee2b4"});
}

TEST_CASE("device identity: nothing is known of a device that is not there, or says nothing")
{
    const Machine machine;
    CHECK(machine.identities().empty());
    CHECK(device_identities(makedev(99, 0), machine.directories).empty());
    machine.write("sys/devices/sda/device/vpd_pg80", std::string("\0\x80", 2));
    CHECK(machine.identities().empty());
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

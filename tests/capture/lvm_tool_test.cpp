// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/lvm_tool.hpp"

#include "catch.hpp"

namespace ezio {

using test::contains;

TEST_CASE("lvm tool: it may look at the devices that are named, and no others")
{
    const std::string configuration = lvm_configuration({"/dev/sda3", "/dev/mapper/a.b+c"});
    CHECK_THAT(configuration,
               contains(R"( filter=["a|^/dev/sda3$|","a|^/dev/mapper/a[.]b[+]c$|","r|.*|"] )"));
    CHECK_THAT(configuration, contains("use_devicesfile=0"));
    CHECK_THAT(configuration, contains("backup=0 archive=0"));
}

TEST_CASE("lvm tool: names that would mean something else in its configuration")
{
    for (const char* name : {"/dev/sda", "/dev/mapper/vg0-root", "/dev/disk/by-id/usb-A_B-0:0-part1"}) {
        CHECK(lvm_can_name(name));
    }
    for (const char* name : {"", "/tmp/sda", "/dev/a|b", "/dev/a\"b", "/dev/a b", "/dev/a*", "/dev/a\\b"}) {
        CHECK_FALSE(lvm_can_name(name));
    }
}

TEST_CASE("lvm tool: what of its messages tells why")
{
    CHECK(lvm_reason_in("  WARNING: Metadata changes will NOT be backed up\n"
                        "File descriptor 10 (/dev/null) leaked on lvm invocation. Parent PID 1: sh\n")
              .empty());
    CHECK(lvm_reason_in("  one\n  two\n\n  three\n  WARNING: Activation disabled. No more.\n  four") ==
          "two; three; four");
}

} // namespace ezio

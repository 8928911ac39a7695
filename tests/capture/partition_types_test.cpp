// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/partition_types.hpp"

#include "catch.hpp"

namespace ezio {

TEST_CASE("partition types: those of dynamic disks and of slices hold more than one file system")
{
    CHECK(several_volumes_in("0x42") == "a Windows dynamic disk");
    CHECK(several_volumes_in("af9b60a0-1431-4f62-bc68-3311714a69ad") == "a Windows dynamic disk");
    CHECK(several_volumes_in("0xa5") == "BSD slices");
    CHECK(several_volumes_in("516e7cb4-6ecf-11d6-8ff8-00022d71712b") == "BSD slices");
}

TEST_CASE("partition types: those of one file system, and unknown ones, do not")
{
    for (const char* type : {"", "0x7", "0x83", "0x4", "0x420", "0fc63daf-8483-4772-8e79-3d69d8477de4",
                             "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"}) {
        CHECK(several_volumes_in(type).empty());
    }
}

} // namespace ezio

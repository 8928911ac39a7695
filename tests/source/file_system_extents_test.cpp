// SPDX-License-Identifier: GPL-2.0-or-later
//
// Real file systems are in the end-to-end tests.
#include "ezio/source/file_system_extents.hpp"

#include "catch.hpp"
#include "recording_reporter.hpp"

namespace ezio {

using test::RecordingReporter;

TEST_CASE(
    "file system extents: the rest of a partition behind its file system is carried whole up to a limit")
{
    RecordingReporter reporter;
    const Area area{"/dev/sda1", 1_MiB, 2_GiB};
    CHECK(carried_rest(area, 2_GiB - 1, reporter) == std::vector<Extent>{{2_GiB - 1, 1}});
    CHECK(carried_rest(area, 1_GiB, reporter) == std::vector<Extent>{{1_GiB, 1_GiB}});
    CHECK(reporter.take().empty());
}

TEST_CASE("file system extents: of a larger rest both ends are carried, and it is said what is left out")
{
    RecordingReporter reporter;
    CHECK(carried_rest({"/dev/sda1", 1_MiB, 4_GiB + 2_MiB}, 2_GiB, reporter) ==
          std::vector<Extent>{{2_GiB, 1_MiB}, {4_GiB + 1_MiB, 1_MiB}});
    CHECK(reporter.take() ==
          std::vector<std::string>{"warning: /dev/sda1: 2.0 GiB after the known contents (from byte "
                                   "2148532224 on) are not in the image; --all takes every byte"});
}

TEST_CASE("file system extents: a partition that its file system fills has no rest")
{
    RecordingReporter reporter;
    CHECK(carried_rest({"/dev/sda1", 0, 1_GiB}, 1_GiB, reporter).empty());
    CHECK(carried_rest({"/dev/sda1", 0, 1_GiB}, 2_GiB, reporter).empty());
    CHECK(reporter.take().empty());
}

TEST_CASE("file system extents: where every byte is carried, it is said why")
{
    RecordingReporter reporter;
    CHECK(every_byte({"/dev/sda1", 1_MiB, 3_MiB}, "BSD slices", reporter) == std::vector<Extent>{{0, 3_MiB}});
    CHECK(reporter.take() ==
          std::vector<std::string>{
              "warning: /dev/sda1 (BSD slices): every byte of it, 3.0 MiB, is in the image"});
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/disk_layout.hpp"

#include "expect_error.hpp"

namespace ezio {

using test::refusal_of;

namespace {

UsedPartition partition(int number, std::uint64_t start, std::uint64_t size, std::vector<Extent> used)
{
    return {{number, start, size, false}, std::move(used)};
}

UsedPartition container(int number, std::uint64_t start, std::uint64_t size)
{
    return {{number, start, size, true}, {}};
}

} // namespace

TEST_CASE("disk layout: tables and gaps are carried around the used parts of the partitions")
{
    const auto extents = disk_extents("disk", 100_MiB,
                                      {partition(1, 1_MiB, 10_MiB, {{0, 4_KiB}, {8_MiB, 2_MiB}}),
                                       partition(2, 12_MiB, 80_MiB, {{1_MiB, 1_MiB}})});
    CHECK(extents == std::vector<Extent>{{0, 1_MiB + 4_KiB}, // table, gap, first blocks of partition 1
                                         {9_MiB, 3_MiB},     // its end and the gap behind it
                                         {13_MiB, 1_MiB},    // inside of partition 2
                                         {92_MiB, 8_MiB}});  // the gap with the table's copy
}

TEST_CASE("disk layout: the order of the partitions in the table does not matter")
{
    const auto extents =
        disk_extents("disk", 5_MiB, {partition(2, 3_MiB, 1_MiB, {}), partition(1, 1_MiB, 1_MiB, {})});
    CHECK(extents == std::vector<Extent>{{0, 1_MiB}, {2_MiB, 1_MiB}, {4_MiB, 1_MiB}});
}

TEST_CASE("disk layout: of a large gap both ends are carried")
{
    const auto extents = disk_extents("disk", 1_GiB, {partition(1, 65_MiB, 1_MiB, {})});
    CHECK(extents ==
          std::vector<Extent>{{0, 1_MiB}, {64_MiB, 1_MiB}, {66_MiB, 1_MiB}, {1_GiB - 1_MiB, 1_MiB}});
    CHECK(disk_extents("disk", 64_MiB + 1_MiB, {partition(1, 64_MiB, 1_MiB, {})}) ==
          std::vector<Extent>{{0, 64_MiB}});
}

TEST_CASE(
    "disk layout: the records of logical partitions are gaps, and the first of them begins the extended one")
{
    const auto extents = disk_extents("disk", 400_MiB,
                                      {partition(1, 1_MiB, 100_MiB, {}), container(2, 200_MiB, 200_MiB),
                                       partition(5, 300_MiB, 10_MiB, {}), partition(6, 311_MiB, 89_MiB, {})});
    CHECK(extents == std::vector<Extent>{{0, 1_MiB},         // table
                                         {101_MiB, 1_MiB},   // both ends of the large gap
                                         {200_MiB, 1_MiB},   // the extended partition's first record
                                         {299_MiB, 1_MiB},   // which this ends
                                         {310_MiB, 1_MiB}}); // the record of partition 6
}

TEST_CASE("disk layout: partitions that touch each other and the ends leave no gap")
{
    CHECK(disk_extents("disk", 2_MiB,
                       {partition(1, 0, 1_MiB, {{0, 1_MiB}}), partition(2, 1_MiB, 1_MiB, {{0, 1}})}) ==
          std::vector<Extent>{{0, 1_MiB + 1}});
}

TEST_CASE("disk layout: a partition that ends beyond the disk is refused")
{
    const auto refusal =
        refusal_of([] { (void)disk_extents("/dev/sda", 10_MiB, {partition(3, 9_MiB, 2_MiB, {})}); });
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message ==
          "partition 3 of /dev/sda ends beyond the disk, which has 10485760 bytes; is the disk complete?");
    CHECK_THROWS_AS(disk_extents("d", 1_MiB, {partition(1, 2_MiB, 0, {})}), Error);
    CHECK_THROWS_AS(disk_extents("d", 1_MiB, {container(1, 0, 2_MiB)}), Error);
}

TEST_CASE("disk layout: partitions that overlap are refused")
{
    const auto refusal = refusal_of([] {
        (void)disk_extents("/dev/sda", 10_MiB,
                           {partition(1, 1_MiB, 2_MiB, {}), partition(2, 2_MiB, 2_MiB, {})});
    });
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message ==
          "partitions 1 and 2 of /dev/sda overlap; repair the table, or take every byte with --all");
}

TEST_CASE("disk layout: the tail of something are its last 4 KiB, or all of it")
{
    CHECK(tail_of(1_MiB) == Extent{1_MiB - 4_KiB, 4_KiB});
    CHECK(tail_of(1000) == Extent{0, 1000});
}

TEST_CASE("disk layout: a gap is carried whole up to the limit that is asked for")
{
    CHECK(carried_of_gap({5, 64_MiB}) == std::vector<Extent>{{5, 64_MiB}});
    CHECK(carried_of_gap({5, 64_MiB + 1}) == std::vector<Extent>{{5, 1_MiB}, {63_MiB + 6, 1_MiB}});
    CHECK(carried_of_gap({5, 64_MiB + 1}, 1_GiB) == std::vector<Extent>{{5, 64_MiB + 1}});
}

TEST_CASE("disk layout: gaps are what is in no extent")
{
    CHECK(gaps_between({}, 10) == std::vector<Extent>{{0, 10}});
    CHECK(gaps_between({{0, 10}}, 10).empty());
    CHECK(gaps_between({{2, 3}, {6, 2}}, 10) == std::vector<Extent>{{0, 2}, {5, 1}, {8, 2}});
}

TEST_CASE("disk layout: united extents are sorted, merged where they overlap or touch, and never empty")
{
    CHECK(united({}).empty());
    CHECK(united({{5, 0}, {20, 5}, {0, 10}, {10, 1}, {2, 3}, {22, 1}}) ==
          std::vector<Extent>{{0, 11}, {20, 5}});
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/ddrescue_map.hpp"

#include "expect_error.hpp"

namespace ezio {

using test::refusal_of;

namespace {

DdrescueMap parse(const std::string& text)
{
    return parse_ddrescue_map(text, "map");
}

void check_refused(const std::string& text, const std::string& message)
{
    const auto refusal = refusal_of([&] { (void)parse(text); });
    CHECK(refusal.status == ExitStatus::torrent);
    CHECK(refusal.message == message);
}

const std::string no_block = "this is not a block (POS SIZE STATUS, a status being one of ? * / - +)";
const std::string no_status =
    "this is not a status line (POS STATUS [PASS]); is it a map of ddrescue or partclone -D?";

} // namespace

TEST_CASE("block map: what partclone 0.3.23 writes, with a status line of two fields, is understood")
{
    const DdrescueMap map = parse("# Domain logfile created by unset_name v0.3.23\n"
                                  "# Source: /dev/loop0\n"
                                  "# Offset: 0x00000000\n"
                                  "# current_pos  current_status\n"
                                  "0x04000000     ?\n"
                                  "#      pos        size  status\n"
                                  "0x00000000  0x00148400  +\n"
                                  "0x00148400  0x036B8000  ?\n"
                                  "0x03800400  0x00040800  +\n"
                                  "0x03840C00  0x007BF400  ?\n");
    CHECK(map.used == std::vector<Extent>{{0, 0x148400}, {0x3800400, 0x40800}});
    CHECK(map.position == 0x4000000);
    CHECK(map.end == 0x4000000);
    CHECK(map.unread_bytes == 0);
    CHECK_FALSE(map.has_gaps);
}

TEST_CASE("block map: what ddrescue 1.27 writes, with a status line of three fields, is understood")
{
    const DdrescueMap map = parse("# Mapfile. Created by GNU ddrescue version 1.27\n"
                                  "# Command line: ddrescue /dev/sda image map\n"
                                  "# Start time:   2026-11-25 10:00:00\n"
                                  "# current_pos  current_status  current_pass\n"
                                  "0x00010000     +               1\n"
                                  "#      pos        size  status\n"
                                  "0x00000000  0x00008000  +\n"
                                  "0x00008000  0x00001000  -\n"
                                  "0x00009000  0x00000800  *\n"
                                  "0x00009800  0x00000800  /\n"
                                  "0x0000A000  0x00006000  +\n");
    CHECK(map.used == std::vector<Extent>{{0, 0x8000}, {0xa000, 0x6000}});
    CHECK(map.unread_bytes == 0x2000);
}

TEST_CASE("block map: what ddrescue has not come to yet is unread, what partclone says so is unused")
{
    CHECK(parse("0x10 ? 1\n0 0x10 +\n0x10 0x20 ?\n0x30 8 -\n").unread_bytes == 0x28);
    CHECK(parse("0x10 ?\n0 0x10 +\n0x10 0x20 ?\n0x30 8 -\n").unread_bytes == 8);
}

TEST_CASE("block map: blocks that touch are merged, across blocks without a byte too")
{
    const DdrescueMap map = parse("0 +\n0 10 +\n10 0 +\n10 0 ?\n10 5 +\n20 5 +\n");
    CHECK(map.used == std::vector<Extent>{{0, 15}, {20, 5}});
    CHECK(map.has_gaps);
    CHECK(map.end == 25);
}

TEST_CASE("block map: numbers are written as in C++, comments may follow, line ends do not matter")
{
    const DdrescueMap map = parse("\r\n\t 0 ? # here\r\n010 0X10 +\r\n\n 24 8 + # there");
    CHECK(map.used == std::vector<Extent>{{8, 24}});
}

TEST_CASE("block map: a map without used blocks has none")
{
    CHECK(parse("0 ?\n0 512 ?\n").used.empty());
    CHECK(parse("0 ?\n").end == 0);
}

TEST_CASE("block map: an empty map is refused")
{
    check_refused("", "map:1: the map is empty");
    check_refused("# only\n# comments\n", "map:2: the map is empty");
}

TEST_CASE("block map: a bad status line is refused with its number")
{
    for (const char* bad : {"0", "0 x", "0 ??", "0 + 1 1", "hello world, 1"}) {
        check_refused(std::string("# map\n") + bad + "\n", "map:2: " + no_status);
    }
    check_refused("zero ?\n", "map:1: 'zero' is not a number below 2^64");
    check_refused("0 ? one\n", "map:1: 'one' is not a number below 2^64");
}

TEST_CASE("block map: a bad block is refused with its number")
{
    for (const char* bad : {"0", "0 1", "0 1 F", "0 1 ++", "0 1 + 1"}) {
        check_refused(std::string("0 ?\n") + bad, "map:2: " + no_block);
    }
    for (const char* bad : {"-1", "0x", "08", "1k", "0x10000000000000000", "+1"}) {
        check_refused(std::string("0 ?\n0 ") + bad + " +",
                      std::string("map:2: '") + bad + "' is not a number below 2^64");
    }
}

TEST_CASE("block map: blocks that overlap or go back are refused")
{
    check_refused("0 ?\n0 0x1000 +\n0xfff 1 ?\n",
                  "map:3: block 0xfff begins before the one before it ends, at 0x1000");
}

TEST_CASE("block map: a block past 2^63 is refused")
{
    check_refused("0 ?\n0x7fffffffffffffff 1 +\n",
                  "map:2: block 0x7fffffffffffffff + 1 bytes ends beyond the largest possible device");
    check_refused("0 ?\n0xffffffffffffffff 0xffffffffffffffff +\n",
                  "map:2: block 0xffffffffffffffff + 18446744073709551615 bytes ends beyond the largest "
                  "possible device");
}

} // namespace ezio

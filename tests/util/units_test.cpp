// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/units.hpp"

#include "catch.hpp"

#include <cmath>
#include <limits>

namespace ezio {

using namespace std::chrono_literals;

TEST_CASE("units: a size without a unit is bytes, exactly")
{
    CHECK(parse_size("0") == 0);
    CHECK(parse_size("65536") == 65536);
    CHECK(parse_size("9007199254740993") == 9007199254740993); // a double would make it ...992
    CHECK(parse_size("512B") == 512);
}

TEST_CASE("units: sizes are powers of 1024, however the unit is written")
{
    CHECK(parse_size("64K") == 64_KiB);
    CHECK(parse_size("64k") == 64_KiB);
    CHECK(parse_size("64KB") == 64_KiB);
    CHECK(parse_size("64KiB") == 64_KiB);
    CHECK(parse_size("16MiB") == 16_MiB);
    CHECK(parse_size("2G") == 2_GiB);
    CHECK(parse_size("1.5G") == 1536_MiB);
    CHECK(parse_size("3T") == 3072_GiB);
}

TEST_CASE("units: a size of up to 2^63 bytes is taken, more is refused")
{
    CHECK(parse_size("9223372036854775808") == 1ULL << 63);
    CHECK(parse_size("8388608T") == 1ULL << 63);
    CHECK_FALSE(parse_size("9223372036854775809"));
    CHECK_FALSE(parse_size("18446744073709551616"));
    CHECK_FALSE(parse_size("8388609T"));
    CHECK_FALSE(parse_size(std::string(400, '9') + "K"));
}

TEST_CASE("units: what is no size is refused")
{
    for (const char* text :
         {"",    "K",   "-1",   "+1",   "0x10", "1e3",  "inf",    "nan", "1.2.3K", ".5K",
          "1.K", "1.5", "64 K", " 64K", "64K ", "64Kb", "64KiBs", "64X", "1,5G",   "64KK"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_size(text));
    }
}

TEST_CASE("units: a duration without a unit is seconds")
{
    CHECK(parse_duration("90") == 90s);
    CHECK(parse_duration("0") == 0s);
    CHECK(parse_duration("0.5") == 500ms);
}

TEST_CASE("units: durations take ms, s, m, min, h and d")
{
    CHECK(parse_duration("250ms") == 250ms);
    CHECK(parse_duration("90s") == 90s);
    CHECK(parse_duration("10m") == 10min);
    CHECK(parse_duration("10min") == 10min);
    CHECK(parse_duration("1.5h") == 90min);
    CHECK(parse_duration("2d") == 48h);
    CHECK(parse_duration("3653d") == 24h * 3653); // ten years with three leap days
}

TEST_CASE("units: what is no duration, or over ten years, is refused")
{
    for (const char* text :
         {"", "s", "-5s", "5x", "5 s", "1h30m", "1e3", "inf", "3654d", "5269520m", "99999999999999999999h"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_duration(text));
    }
}

TEST_CASE("units: bytes are shown in the unit that fits")
{
    CHECK(format_bytes(0) == "0 B");
    CHECK(format_bytes(1023) == "1023 B");
    CHECK(format_bytes(1024) == "1.0 KiB");
    CHECK(format_bytes(8_GiB) == "8.0 GiB");
    CHECK(format_bytes(1_MiB - 1) == "1.0 MiB"); // not "1024.0 KiB"
    CHECK(format_bytes(std::numeric_limits<std::uint64_t>::max()) == "16.0 EiB");
}

TEST_CASE("units: a rate is bytes a second, and never nonsense")
{
    constexpr double infinity = std::numeric_limits<double>::infinity();
    CHECK(format_rate(117964800) == "112.5 MiB/s");
    CHECK(format_rate(-1) == "0 B/s");
    CHECK(format_rate(std::nan("")) == "0 B/s");
    CHECK(format_rate(infinity) == "7.8 EiB/s");
}

TEST_CASE("units: a clock shows hours only where there are some")
{
    CHECK(format_clock(7s) == "0:07");
    CHECK(format_clock(12min + 3s) == "12:03");
    CHECK(format_clock(1h + 2min + 3s) == "1:02:03");
    CHECK(format_clock(100h) == "100:00:00");
    CHECK(format_clock(-1s) == "0:00");
}

TEST_CASE("units: a duration in a sentence is as exact as it needs to be")
{
    CHECK(format_duration(0ms) == "0 s");
    CHECK(format_duration(50ms) == "50 ms");
    CHECK(format_duration(3s) == "3 s");
    CHECK(format_duration(2500ms) == "2.5 s");
    CHECK(format_duration(90s) == "90 s");
    CHECK(format_duration(2min) == "2 min");
    CHECK(format_duration(2h) == "2 h");
    CHECK(format_duration(150min) == "2.5 h");
}

TEST_CASE("units: counts have commas between thousands")
{
    CHECK(format_count(0) == "0");
    CHECK(format_count(999) == "999");
    CHECK(format_count(1000) == "1,000");
    CHECK(format_count(1234567) == "1,234,567");
    CHECK(format_count(123456789) == "123,456,789");
}

TEST_CASE("units: the shortest way to write a size or a duration is read as the same")
{
    CHECK(shortest_size(256_MiB) == "256M");
    CHECK(shortest_size(1_GiB) == "1G");
    CHECK(shortest_size(65537) == "65537");
    CHECK(shortest_size(0) == "0");
    for (const std::uint64_t size : {std::uint64_t{1}, 1_KiB, 1536_KiB, 10_GiB, 4096_GiB, 5000000_GiB}) {
        CHECK(parse_size(shortest_size(size)) == size);
    }
    CHECK(shortest_duration(2min) == "2m");
    CHECK(shortest_duration(90s) == "90s");
    CHECK(shortest_duration(250ms) == "250ms");
    CHECK(shortest_duration(48h) == "48h");
    CHECK(shortest_duration(0ms) == "0");
    for (const std::chrono::milliseconds time : {1ms, 1500ms, 60000ms, 61000ms, 3600000ms}) {
        CHECK(parse_duration(shortest_duration(time)) == time);
    }
}

TEST_CASE("units: one is singular, everything else plural")
{
    CHECK(counted(0, "piece") == "0 pieces");
    CHECK(counted(1, "piece") == "1 piece");
    CHECK(counted(2048, "piece") == "2,048 pieces");
}

TEST_CASE("units: a part of a whole is written in the whole's unit, in a place that does not grow")
{
    CHECK(format_part(8_GiB, 8_GiB) == "8.0 of 8.0 GiB");
    CHECK(format_part(0, 8_GiB) == "0.0 of 8.0 GiB");
    CHECK(format_part(3_GiB, 60_GiB) == " 3.0 of 60.0 GiB");
    CHECK(format_part(512_MiB, 8_GiB) == "0.5 of 8.0 GiB");
    CHECK(format_part(5, 100) == "  5 of 100 B");
}

} // namespace ezio

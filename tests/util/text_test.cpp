// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/text.hpp"

#include "catch.hpp"
#include "temp_dir.hpp"

#include <cstdint>

namespace ezio {

TEST_CASE("text: a number is taken whole, in its base")
{
    CHECK(parse_number<int>("-12") == -12);
    CHECK(parse_number<unsigned>("007") == 7U);
    CHECK(parse_number<std::uint64_t>("18446744073709551615") == ~std::uint64_t{});
    CHECK(parse_number<std::uint8_t>("fF", 16) == 255);
}

TEST_CASE("text: what is no number, only begins as one, or does not fit is none")
{
    for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1a", "256", "99999999999999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_number<std::uint8_t>(text));
    }
    CHECK_FALSE(parse_number<std::uint8_t>("0x", 16));
    CHECK_FALSE(parse_number<std::uint8_t>("-f", 16));
}

TEST_CASE("text: lines end with LF or CR LF, and the last with the text")
{
    std::string_view text = "one\r\n\ntwo\rmore\nthree";
    CHECK(take_line(text) == "one");
    CHECK(take_line(text).empty());
    CHECK(take_line(text) == "two\rmore");
    CHECK(take_line(text) == "three");
    CHECK(text.empty());
    CHECK(take_line(text).empty());
}

TEST_CASE("text: blanks are taken off the ends only")
{
    CHECK(trimmed(" \t a b\r\n\f\v") == "a b");
    CHECK(trimmed("a") == "a");
    CHECK(trimmed(" \n").empty());
    CHECK(trimmed("").empty());
}

TEST_CASE("text: only the letters of ASCII have a lower case")
{
    CHECK(lower_case("AbZ@[0\xc3\x84") == "abz@[0\xc3\x84");
}

TEST_CASE("text: a file that cannot be read has no contents")
{
    const test::TempDir dir;
    test::write_file(dir / "serial", std::string("A\0B\n", 4));
    CHECK(contents_of(dir / "serial") == std::string("A\0B\n", 4));
    CHECK(contents_of(dir / "missing").empty());
    CHECK(contents_of(dir.path()).empty());
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/printable.hpp"

#include "catch.hpp"

#include <algorithm>

namespace ezio {

TEST_CASE("printable: text of any language stays as it is")
{
    for (const char* text :
         {"", "sda1", "Büro 3, Łódź", "実験室", "a\\b \"c\" 100 % {}", "\xf0\x9f\x92\xbe"}) {
        CHECK(printable(text) == text);
    }
}

TEST_CASE("printable: what a terminal would obey is shown instead")
{
    CHECK(printable("\033[2J\033]0;title\007") == "\\x1b[2J\\x1b]0;title\\x07");
    CHECK(printable("two\nlines\r\t") == "two\\x0alines\\x0d\\x09");
    CHECK(printable(std::string_view("a\0b", 3)) == "a\\x00b");
    CHECK(printable("\x7f") == "\\x7f");
    CHECK(printable("\xc2\x9b"
                    "31m") == "\\x9b31m"); // the one-character form of ESC [
}

TEST_CASE("printable: marks that turn text around or hide it are shown")
{
    CHECK(printable("sda\xe2\x80\xae"
                    "1") == "sda\\u202e1");
    CHECK(printable("\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf") == "\\u2066\\u200b\\ufeff");
}

TEST_CASE("printable: bytes that are no UTF-8 are shown one by one")
{
    CHECK(printable("b\xfcro") == "b\\xfcro");
    CHECK(printable("cut \xe2\x82") == "cut \\xe2\\x82");
    CHECK(printable("\xc0\x9b") == "\\xc0\\x9b");                   // too long a form
    CHECK(printable("\xe0\x82\x9b") == "\\xe0\\x82\\x9b");          // the same
    CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");          // half of a UTF-16 pair
    CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80"); // beyond Unicode
    CHECK(printable("\x9b"
                    "31m") == "\\x9b31m");
}

TEST_CASE("printable: whatever two bytes stand together, nothing of it controls anything")
{
    for (int first = 0; first < 256; ++first) {
        for (int second = 0; second < 256; ++second) {
            const std::string text{static_cast<char>(first), static_cast<char>(second), 'x'};
            const std::string shown = printable(text);
            const bool harmless = std::none_of(shown.begin(), shown.end(),
                                               [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
            if (!harmless || printable(shown) != shown) {
                FAIL(first << " " << second);
            }
        }
    }
}

TEST_CASE("printable: columns are characters, not bytes")
{
    CHECK(columns("") == 0);
    CHECK(columns("abc") == 3);
    CHECK(columns("▕█▌ ▏") == 5);
    CHECK(first_columns("▕█▌ ▏", 0).empty());
    CHECK(first_columns("▕█▌ ▏", 2) == "▕█");
    CHECK(first_columns("abc", 5) == "abc");
}

TEST_CASE("printable: text is UTF-8 when all of its bytes are")
{
    CHECK(is_utf8(""));
    CHECK(is_utf8("stra\xc3\x9f"
                  "e"));
    CHECK_FALSE(is_utf8("stra\xdf"
                        "e"));
    CHECK_FALSE(is_utf8("cut \xc3"));
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/sha1.hpp"

#include "catch.hpp"

#include <algorithm>

namespace ezio {

namespace {

std::span<const std::byte> bytes_of(std::string_view text)
{
    return std::as_bytes(std::span(text));
}

std::string sha1_of(std::string_view text)
{
    Sha1 sha1;
    sha1.update(bytes_of(text));
    return to_hex(sha1.finish());
}

} // namespace

TEST_CASE("sha1: the examples of FIPS 180 come out right")
{
    CHECK(sha1_of("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    CHECK(sha1_of("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK(sha1_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    CHECK(sha1_of(std::string(1'000'000, 'a')) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST_CASE("sha1: it does not matter how the data is cut")
{
    const std::string text(100'000, 'a');
    auto rest = bytes_of(text);
    Sha1 sha1;
    for (std::size_t step = 0; !rest.empty(); ++step) { // the first is empty
        const std::size_t length = std::min(step, rest.size());
        sha1.update(rest.first(length));
        rest = rest.subspan(length);
    }
    CHECK(to_hex(sha1.finish()) == sha1_of(text));
}

TEST_CASE("sha1: after finish it starts again from nothing")
{
    Sha1 sha1;
    sha1.update(bytes_of("something"));
    (void)sha1.finish();
    sha1.update(bytes_of("abc"));
    CHECK(to_hex(sha1.finish()) == "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST_CASE("sha1: a digest is read in either case and written in lower case")
{
    const auto digest = parse_sha1("A9993E364706816ABA3E25717850C26C9CD0D89D");
    REQUIRE(digest);
    CHECK((*digest)[0] == 0xa9);
    CHECK((*digest)[19] == 0x9d);
    CHECK(to_hex(*digest) == "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST_CASE("sha1: what is not 40 hex digits is no digest")
{
    const std::string good(40, '0');
    for (const std::string& text : {std::string(), good.substr(1), good + "0", "g" + good.substr(1),
                                    good.substr(1) + " ", "0x" + good.substr(2), "-" + good.substr(1)}) {
        CAPTURE(text);
        CHECK_FALSE(parse_sha1(text));
    }
}

} // namespace ezio

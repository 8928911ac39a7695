// SPDX-License-Identifier: GPL-2.0-or-later
#include "compression/unit_message.hpp"

#include "catch.hpp"

namespace ezio {

namespace {

constexpr std::uint32_t piece_length = 512 * 1024;
constexpr std::uint32_t tail = 40'000; // bytes of the last piece: two blocks, and a short one

Image image()
{
    Image image;
    image.piece_length = piece_length;
    image.hashes.resize(4);
    image.extents = {{0, std::uint64_t{3} * piece_length + tail}};
    image.map = ExtentMap(image.extents);
    return image;
}

std::string unit(const UnitPlace& place, std::size_t packed_bytes = 100, char codec = 1)
{
    std::string payload;
    put_unit_head(payload, Codec::lz4, place);
    payload[0] = codec;
    return payload + std::string(packed_bytes, 'x');
}

bool is_taken(const std::string& payload)
{
    const Image of = image();
    return parse_unit(payload, of).has_value();
}

} // namespace

TEST_CASE("unit message: it says what it stands for")
{
    const std::string payload = unit({2, 0x10000, 0x8000}, 3);
    CHECK(payload == std::string("\1\0\0\0\2\0\1\0\0\0\0\x80\0xxx", 16));
    const Image of = image();
    const auto parsed = parse_unit(payload, of);
    REQUIRE(parsed);
    CHECK(parsed->codec == Codec::lz4);
    CHECK(parsed->place == UnitPlace{2, 0x10000, 0x8000});
    CHECK(std::string(parsed->packed.begin(), parsed->packed.end()) == "xxx");
}

TEST_CASE("unit message: a run of whole blocks of one piece, of at most 256 KiB, is taken")
{
    CHECK(is_taken(unit({0, 0, 16384})));
    CHECK(is_taken(unit({0, 0, most_unit_bytes})));
    CHECK(is_taken(unit({0, piece_length - 16384, 16384})));
    CHECK(is_taken(unit({3, 0, tail})));
    CHECK(is_taken(unit({3, 32768, tail - 32768})));
    CHECK(is_taken(unit({3, 0, 32768})));
}

TEST_CASE("unit message: nothing else is")
{
    CHECK_FALSE(is_taken(unit({0, 0, 0})));
    CHECK_FALSE(is_taken(unit({0, 0, most_unit_bytes + 16384})));
    CHECK_FALSE(is_taken(unit({0, 1, 16384})));
    CHECK_FALSE(is_taken(unit({0, 0, 16383})));
    CHECK_FALSE(is_taken(unit({0, piece_length, 16384})));
    CHECK_FALSE(is_taken(unit({0, piece_length - 16384, 32768})));
    CHECK_FALSE(is_taken(unit({0, 0xffffc000, 32768})));
    CHECK_FALSE(is_taken(unit({0, 0, 0xffffc000})));
    CHECK_FALSE(is_taken(unit({4, 0, 16384})));
    CHECK_FALSE(is_taken(unit({0xffffffff, 0, 16384})));
    CHECK_FALSE(is_taken(unit({3, 32768, 16384}))); // beyond the end
    CHECK_FALSE(is_taken(unit({3, 0, tail - 1})));
}

TEST_CASE("unit message: a unit that is larger than its blocks, or empty, or of another codec, is none")
{
    CHECK(is_taken(unit({0, 0, 16384}, 16384)));
    CHECK_FALSE(is_taken(unit({0, 0, 16384}, 16385)));
    CHECK_FALSE(is_taken(unit({0, 0, 16384}, 0)));
    CHECK(is_taken(unit({0, 0, 16384}, 100, 2)));
    for (const char codec : {'\0', '\3', '\4', '\177', '\377'}) {
        CHECK_FALSE(is_taken(unit({0, 0, 16384}, 100, codec)));
    }
    const std::string whole = unit({0, 0, 16384}, 1);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CHECK_FALSE(is_taken(whole.substr(0, size)));
    }
}

TEST_CASE("unit message: what may be sent is a mask of codecs")
{
    CHECK(may_message(3) == std::string("\0\3", 2));
    const auto parsed = [](const std::string& payload) { return parse_may(payload); };
    CHECK(parsed(may_message(0)) == CodecMask{0});
    CHECK(parsed(may_message(255)) == CodecMask{255});
    CHECK_FALSE(parsed(""));
    CHECK_FALSE(parsed(std::string(1, '\0')));
    CHECK_FALSE(parsed(std::string("\0\1\1", 3)));
    CHECK_FALSE(parsed("\1\1"));
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Segments over a device that has gaps and a payload that has padding. What the engine does with them, and
// with failures, is in its own tests.
#include "engine/segment_io.hpp"

#include "catch.hpp"
#include "fake_target.hpp"

#include "ezio/util/units.hpp"

#include <algorithm>
#include <span>

namespace ezio {

using test::FakeTarget;
using Operation = IoFailure::Operation;

namespace {

// 8 KiB at 4 KiB of the device, 4 KiB of padding, 4 KiB at 32 KiB; then 4 KiB that touch the first.
const ExtentMap map({{4_KiB, 8_KiB}, {32_KiB, 4_KiB}, {12_KiB, 4_KiB}}, {{8_KiB, 4_KiB}});
constexpr std::uint64_t payload = 20_KiB;

std::vector<std::byte> bytes_of(std::uint64_t length, int value)
{
    return std::vector<std::byte>(length, static_cast<std::byte>(value));
}

} // namespace

TEST_CASE("segment I/O: lengths are counted with padding, and without it where the device counts")
{
    std::byte memory{};
    const std::vector<Segment> segments{{0, 10_KiB, &memory}, {16_KiB, 4_KiB, nullptr}};
    CHECK(total_length(segments) == 14_KiB);
    CHECK(data_length(map, segments) == 12_KiB);
    REQUIRE(not_in_memory(segments).size() == 1);
    CHECK(not_in_memory(segments)[0].payload_offset == 16_KiB);
}

TEST_CASE("segment I/O: segments become one write for each stretch of the device, none for padding")
{
    FakeTarget target(64_KiB);
    auto first = bytes_of(4_KiB, 1);
    auto rest = bytes_of(12_KiB, 2);
    CHECK_FALSE(write_segments(map, target, {{0, 4_KiB, first.data()}, {4_KiB, 12_KiB, rest.data()}}));
    const auto writes = target.calls(Operation::write);
    REQUIRE(writes.size() == 2);
    CHECK(writes[0].offset == 4_KiB);
    CHECK(writes[0].length == 8_KiB);
    CHECK(writes[1].offset == 32_KiB);
    CHECK(writes[1].length == 4_KiB);
    CHECK(target.bytes()[8_KiB - 1] == std::byte{1});
    CHECK(target.bytes()[8_KiB] == std::byte{2});
    CHECK(target.bytes()[12_KiB] == std::byte{0xff});
}

TEST_CASE("segment I/O: what was written is handed over for write-back, as one span")
{
    FakeTarget target(64_KiB);
    auto data = bytes_of(payload, 1);
    CHECK_FALSE(write_segments(map, target, {{0, payload, data.data()}}));
    const auto handed_over = target.calls(Operation::write_back);
    REQUIRE(handed_over.size() == 1);
    CHECK(handed_over[0].offset == 4_KiB);
    CHECK(handed_over[0].length == 16_KiB);
}

TEST_CASE("segment I/O: reading fills the memory, with zeros where there is padding")
{
    FakeTarget target(64_KiB);
    auto data = bytes_of(payload, 1);
    CHECK_FALSE(read_segments(map, target, {{0, payload, data.data()}}));
    CHECK(data[8_KiB - 1] == std::byte{0xff});
    CHECK(data[8_KiB] == std::byte{0});
    CHECK(data[12_KiB - 1] == std::byte{0});
    CHECK(data[12_KiB] == std::byte{0xff});
}

TEST_CASE("segment I/O: what is hashed comes in order, from memory or from the target")
{
    FakeTarget target(64_KiB);
    auto data = bytes_of(4_KiB, 1);
    std::vector<std::byte> hashed;
    CHECK_FALSE(hash_segments(map, target, {{0, 4_KiB, data.data()}, {4_KiB, 8_KiB, nullptr}},
                              [&](auto part) { hashed.insert(hashed.end(), part.begin(), part.end()); }));
    REQUIRE(hashed.size() == 12_KiB);
    const auto all_are = [](auto part, std::byte value) {
        return std::all_of(part.begin(), part.end(), [&](std::byte byte) { return byte == value; });
    };
    CHECK(std::equal(data.begin(), data.end(), hashed.begin()));
    CHECK(all_are(std::span(hashed).subspan(4_KiB, 4_KiB), std::byte{0xff}));
    CHECK(all_are(std::span(hashed).last(4_KiB), std::byte{0})); // padding
}

TEST_CASE("segment I/O: a gathered range is copied from memory and read from the target")
{
    FakeTarget target(64_KiB);
    auto cached = bytes_of(4_KiB, 1);
    auto gathered = bytes_of(16_KiB, 7);
    CHECK_FALSE(gather_segments(
        map, target, {{4_KiB, 4_KiB, nullptr}, {8_KiB, 4_KiB, nullptr}, {12_KiB, 4_KiB, cached.data()}},
        gathered.data()));
    CHECK(gathered[0] == std::byte{0xff});
    CHECK(gathered[4_KiB] == std::byte{0}); // padding
    CHECK(gathered[8_KiB] == std::byte{1});
    CHECK(gathered[12_KiB] == std::byte{7}); // beyond the range
}

TEST_CASE("segment I/O: the first failure ends it")
{
    FakeTarget target(64_KiB);
    auto data = bytes_of(payload, 1);
    const std::vector<Segment> segments{{0, payload, data.data()}};
    target.fail(Operation::write, 2, EIO);
    CHECK(write_segments(map, target, segments)->error == EIO);
    CHECK(target.calls(Operation::write).size() == 2);
    CHECK(target.calls(Operation::write_back).empty());
    target.fail(Operation::read, 1, EIO);
    CHECK(read_segments(map, target, segments)->error == EIO);
    CHECK(target.calls(Operation::read).size() == 1);
    target.fail(Operation::read, 1, EIO);
    const auto nothing = [](auto) { FAIL("there is nothing to hash"); };
    CHECK(hash_segments(map, target, {{0, 4_KiB, nullptr}}, nothing)->error == EIO);
}

} // namespace ezio

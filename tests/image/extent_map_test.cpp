// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/image/extent_map.hpp"

#include "expect_error.hpp"

#include <algorithm>
#include <random>

namespace ezio {

using test::contains;
using test::refusal_of;

namespace {

using Ranges = std::vector<ExtentMap::Range>;
using Random = std::mt19937_64;

constexpr std::uint64_t two_to_63 = 1ULL << 63;

// The naive model: the device address of every single byte of the payload.
std::vector<std::uint64_t> addresses_of(const std::vector<Extent>& extents)
{
    std::vector<std::uint64_t> addresses;
    for (const Extent& extent : extents) {
        for (std::uint64_t i = 0; i < extent.length; ++i) {
            addresses.push_back(extent.offset + i);
        }
    }
    return addresses;
}

std::uint64_t between(Random& random, std::uint64_t least, std::uint64_t most)
{
    return std::uniform_int_distribution<std::uint64_t>(least, most)(random);
}

// Odd lengths, touching and far apart, now and then an empty one; runs of them stay in order, as partclone
// writes them, the rest is shuffled.
std::vector<Extent> random_extents(Random& random, std::size_t count)
{
    const std::uint64_t longest = std::max<std::uint64_t>(1, 100'000 / count);
    std::vector<Extent> extents;
    std::uint64_t offset = between(random, 0, 1) * between(random, 0, 1ULL << 62);
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t gap = between(random, 0, 2) == 0 ? 0 : between(random, 1, 1 << 20);
        const std::uint64_t length = between(random, 0, 50) == 0 ? 0 : between(random, 1, longest);
        extents.push_back({offset + gap, length});
        offset = extents.back().end();
    }
    for (std::size_t swaps = between(random, 0, 1) * count / 3; swaps > 0; --swaps) {
        std::swap(extents[between(random, 0, count - 1)], extents[between(random, 0, count - 1)]);
    }
    return extents;
}

bool is_where_the_bytes_belong(const Ranges& ranges, const std::vector<std::uint64_t>& addresses,
                               std::uint64_t payload_offset, std::uint64_t length)
{
    std::uint64_t position = payload_offset;
    for (const ExtentMap::Range& range : ranges) {
        if (range.payload_offset != position || range.length == 0 ||
            range.length > payload_offset + length - position) {
            return false;
        }
        for (std::uint64_t i = 0; i < range.length; ++i) {
            if (addresses[position + i] != range.device_offset + i) {
                return false;
            }
        }
        position += range.length;
    }
    return position == payload_offset + length;
}

// One range of the device is given as one range.
bool is_merged(const Ranges& ranges)
{
    const auto touch = [](const auto& a, const auto& b) {
        return a.device_offset + a.length == b.device_offset;
    };
    return std::adjacent_find(ranges.begin(), ranges.end(), touch) == ranges.end();
}

std::vector<Extent> used_according_to(std::vector<std::uint64_t> addresses)
{
    std::sort(addresses.begin(), addresses.end());
    std::vector<Extent> used;
    for (const std::uint64_t address : addresses) {
        if (!used.empty() && used.back().end() == address) {
            ++used.back().length;
        } else {
            used.push_back({address, 1});
        }
    }
    return used;
}

void check_against_model(const std::vector<Extent>& extents, Random& random)
{
    const ExtentMap map(extents);
    const auto addresses = addresses_of(extents);
    const std::uint64_t size = addresses.size();
    REQUIRE(map.payload_size() == size);
    REQUIRE(map.used() == used_according_to(addresses));
    REQUIRE(map.device_end() == (map.used().empty() ? 0 : map.used().back().end()));

    const std::uint64_t piece = between(random, 1, 5000); // the last one is short
    for (std::uint64_t offset = 0; offset < size; offset += piece) {
        const std::uint64_t length = std::min(piece, size - offset);
        const Ranges ranges = map.ranges(offset, length);
        REQUIRE((is_where_the_bytes_belong(ranges, addresses, offset, length) && is_merged(ranges)));
    }
    for (int i = 0; i < 20; ++i) {
        const std::uint64_t offset = between(random, 0, size);
        const std::uint64_t length = between(random, 0, size - offset);
        REQUIRE(is_where_the_bytes_belong(map.ranges(offset, length), addresses, offset, length));
    }
}

} // namespace

TEST_CASE("extent map: an extent's name is 16 or 32 hex digits")
{
    CHECK(parse_extent_name("0000000000000000") == 0);
    CHECK(parse_extent_name("00000000000000000000000000000000") == 0);
    CHECK(parse_extent_name("00000000001aBc00") == 0x1abc00);
    CHECK(parse_extent_name("000000000000000000000000001abc00") == 0x1abc00);
    CHECK(parse_extent_name("0000000000000000ffffffffffffffff") == ~0ULL);
}

TEST_CASE("extent map: a name with a sign, 0x, blanks, junk, or over 64 bits is no extent's")
{
    for (const char* name :
         {"", "0", "000000000000000", "00000000000000000", "-000000000000001", "+000000000000001",
          "0x00000000000010", "000000000000001 ", " 000000000000001", "000000000000001g", "00000000000012zz",
          "00000000000000010000000000000000", "000000000000000000000000000000000", "ubuntu.iso"}) {
        CAPTURE(name);
        CHECK_FALSE(parse_extent_name(name));
    }
    CHECK_FALSE(parse_extent_name(std::string_view("000000000000000\0", 16)));
}

TEST_CASE("extent map: no extents make an empty map")
{
    for (const ExtentMap& map : {ExtentMap(), ExtentMap(std::vector<Extent>()), ExtentMap({{4096, 0}})}) {
        CHECK(map.payload_size() == 0);
        CHECK(map.device_end() == 0);
        CHECK(map.used().empty());
        CHECK(map.ranges(0, 0).empty());
    }
}

TEST_CASE("extent map: touching extents are one range, in the payload's order only")
{
    const ExtentMap map({{0, 100}, {100, 50}, {400, 10}, {150, 20}});
    CHECK(map.ranges(0, 180) == Ranges{{0, 0, 150}, {150, 400, 10}, {160, 150, 20}});
    CHECK(map.used() == std::vector<Extent>{{0, 170}, {400, 10}});
    CHECK(map.device_end() == 410);
}

TEST_CASE("extent map: a range may begin and end anywhere in the extents")
{
    const ExtentMap map({{1000, 10}, {0, 10}, {5000, 10}});
    CHECK(map.ranges(9, 12) == Ranges{{9, 1009, 1}, {10, 0, 10}, {20, 5000, 1}});
    CHECK(map.ranges(10, 1) == Ranges{{10, 0, 1}});
    CHECK(map.ranges(29, 1) == Ranges{{29, 5009, 1}});
    CHECK(map.ranges(30, 0).empty());
}

TEST_CASE("extent map: overlapping extents are refused and both named, whatever their order")
{
    for (const auto& extents : {std::vector<Extent>{{0x1000, 4097}, {0x2000, 512}},
                                std::vector<Extent>{{0x2000, 512}, {0x9000, 1}, {0x1000, 4097}}}) {
        const auto refusal = refusal_of([&] { const ExtentMap map(extents); });
        CHECK(refusal.status == ExitStatus::torrent);
        CHECK(refusal.message == "extents overlap: 0x1000 + 4097 bytes and 0x2000 + 512 bytes");
    }
}

TEST_CASE("extent map: the same extent twice is an overlap")
{
    CHECK(refusal_of([] { const ExtentMap map({{512, 512}, {512, 512}}); }).status == ExitStatus::torrent);
}

TEST_CASE("extent map: an extent may end at 2^63 - 1")
{
    const ExtentMap map({{two_to_63 - 513, 512}});
    CHECK(map.device_end() == two_to_63 - 1);
}

TEST_CASE("extent map: an extent past 2^63 is refused")
{
    for (const Extent extent : {Extent{two_to_63 - 512, 512}, Extent{two_to_63, 1}, Extent{~0ULL, 1},
                                Extent{512, ~0ULL}, Extent{1, two_to_63 - 1}}) {
        CAPTURE(extent.offset, extent.length);
        const auto refusal = refusal_of([&] { const ExtentMap map({extent}); });
        CHECK(refusal.status == ExitStatus::torrent);
        CHECK_THAT(refusal.message, contains("beyond the largest possible device"));
    }
}

TEST_CASE("extent map: any extents give what looking at every byte gives")
{
    const std::size_t count = GENERATE(as<std::size_t>(), 1, 2, 3, 10, 99, 1000, 10'000);
    for (std::uint64_t seed = 1; seed <= (count < 1000 ? 10 : 3); ++seed) {
        CAPTURE(count, seed);
        Random random(seed * 1'000'003 + count);
        check_against_model(random_extents(random, count), random);
    }
}

TEST_CASE("extent map: padding is in the payload and nowhere on the device")
{
    const ExtentMap map({{4096, 1000}, {5096, 0}, {5096, 24}}, {{1000, 24}, {1048, 10}, {1058, 6}});
    CHECK(map.payload_size() == 1064);
    CHECK(map.data_bytes() == 1024);
    CHECK(map.device_end() == 5120);
    CHECK(map.padding_bytes() == 40);
    CHECK(map.ranges(0, 1064) == std::vector<ExtentMap::Range>{{0, 4096, 1000}, {1024, 5096, 24}});
    CHECK(map.ranges(1010, 15) == std::vector<ExtentMap::Range>{{1024, 5096, 1}});
    CHECK(map.ranges(1000, 24).empty());
    CHECK(map.ranges(1050, 14).empty());
    CHECK(map.padding() == std::vector<Extent>{{1000, 24}, {1048, 16}});
    CHECK(map.device_offset(999) == 5095);
    CHECK(map.device_offset(1000) == std::nullopt);
    CHECK(map.device_offset(1024) == 5096);
    CHECK(map.device_offset(1063) == std::nullopt);
    CHECK(map.used() == std::vector<Extent>{{4096, 1024}});

    std::vector<std::byte> data(60, std::byte{1});
    map.clear_padding(990, data);
    for (std::size_t i = 0; i < data.size(); ++i) {
        const bool is_padding = (i >= 10 && i < 34) || i >= 58;
        CHECK(data[i] == std::byte(is_padding ? 0 : 1));
    }
}

TEST_CASE("extent map: the blocks and pieces that are nothing but padding")
{
    using Units = std::vector<std::uint64_t>;
    const auto units_of_padding = [](const ExtentMap& image, std::uint64_t unit_bytes) {
        Units units;
        for_each_unit_of_padding(image, unit_bytes, [&](std::uint64_t unit) { units.push_back(unit); });
        return units;
    };
    const ExtentMap map({{0, 10}, {100, 20}}, {{10, 50}, {80, 25}});
    CHECK(map.padding() == std::vector<Extent>{{10, 50}, {80, 25}});
    CHECK(units_of_padding(map, 10) == Units{1, 2, 3, 4, 5, 8, 9, 10}); // the last one is short
    CHECK(units_of_padding(map, 20) == Units{1, 2, 4, 5});
    CHECK(units_of_padding(map, 40) == Units{2});
    CHECK(units_of_padding(map, 90) == Units{1});
    CHECK(units_of_padding(ExtentMap({{0, 10}}), 10).empty());
}

TEST_CASE("extent map: the largest sector that every extent begins and ends on")
{
    CHECK(ExtentMap({{0, 4096}, {8192, 4096}}).largest_sector() == 4096);
    CHECK(ExtentMap({{0, 4096}, {8192, 512}}).largest_sector() == 512);
    CHECK(ExtentMap({{512, 4096}}).largest_sector() == 512);
    CHECK(ExtentMap({{0, 512}, {512, 3584}}).largest_sector() == 4096); // they touch
    CHECK(ExtentMap({{0, 1}}).largest_sector() == 512);
    CHECK(ExtentMap({{1ULL << 30, 1ULL << 20}}).largest_sector() == 65536);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/volume_map.hpp"

#include "catch.hpp"
#include "expect_error.hpp"

#include "ezio/util/units.hpp"

template <>
struct Catch::StringMaker<ezio::PlacedExtent> {
    static std::string convert(const ezio::PlacedExtent& each)
    {
        return fmt::format("{}: {:#x}+{}", each.index, each.extent.offset, each.extent.length);
    }
};

namespace ezio {

namespace {

using Placed = std::vector<PlacedExtent>;

const VolumePlaces places{{"a", {0, 100_MiB}}, {"b", {1, 200_MiB}}};

LogicalVolume volume(std::uint64_t size, std::vector<VolumePart> parts)
{
    return {"vg0/root", "", size, "", std::move(parts)};
}

// 10 MiB of each, the second one first.
const LogicalVolume in_two = volume(20_MiB, {{"b", 0, {1_MiB, 10_MiB}}, {"a", 10_MiB, {50_MiB, 10_MiB}}});

// The first half is missing.
const LogicalVolume half = volume(20_MiB, {{"c", 0, {1_MiB, 10_MiB}}, {"a", 10_MiB, {50_MiB, 10_MiB}}});

} // namespace

TEST_CASE("volume map: parts that are on the disk")
{
    CHECK(parts_on(places, in_two) == Placed{{1, {1_MiB, 10_MiB}}, {0, {50_MiB, 10_MiB}}});
    CHECK(parts_on(places, half) == Placed{{0, {50_MiB, 10_MiB}}});
    CHECK(is_complete(places, in_two));
    CHECK_FALSE(is_complete(places, half));
    CHECK_FALSE(is_complete(places, volume(12_MiB, {{"a", 0, {1_MiB, 8_MiB}}})));
}

TEST_CASE("volume map: one piece may go on in the next physical volume")
{
    CHECK_FALSE(one_piece(places, in_two));
    CHECK_FALSE(one_piece(places, half));
    CHECK_FALSE(one_piece(places, volume(0, {})));
    CHECK(one_piece(places, volume(8_MiB, {{"b", 0, {1_MiB, 8_MiB}}})) == Extent{201_MiB, 8_MiB});
    CHECK(one_piece(places, volume(16_MiB, {{"a", 0, {92_MiB, 8_MiB}}, {"b", 8_MiB, {0, 8_MiB}}})) ==
          Extent{192_MiB, 16_MiB});
}

TEST_CASE("volume map: extents of a volume where they are")
{
    CHECK(placed(places, in_two, {{0, 4096}, {2_MiB, 1_MiB}}) ==
          Placed{{1, {1_MiB, 4096}}, {1, {3_MiB, 1_MiB}}});
    CHECK(placed(places, in_two, {{9_MiB, 2_MiB}}) == Placed{{1, {10_MiB, 1_MiB}}, {0, {50_MiB, 1_MiB}}});
    CHECK(placed(places, in_two, {{20_MiB - 512, 512}}) == Placed{{0, {60_MiB - 512, 512}}});
    CHECK(placed(places, half, {{9_MiB, 2_MiB}}) == Placed{{0, {50_MiB, 1_MiB}}});
    CHECK(placed(places, in_two, {}).empty());
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/portability.hpp"

#include "catch.hpp"
#include "ezio/util/units.hpp"

using namespace ezio;

namespace {

TEST_CASE("portability: what all clients take is not warned about")
{
    CHECK(portability_warnings(0, 1, 16_KiB).empty());
    CHECK(portability_warnings(10'000'000, 150'000, 128_MiB).empty());
}

TEST_CASE("portability: a torrent that is too large for others is warned about")
{
    const auto warnings = portability_warnings(29'539'149, 500'000, 1_MiB);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0] ==
          "a torrent of 28.2 MiB (500,000 extents) is too large for many other BitTorrent clients: "
          "they stop at 10 MB");
}

TEST_CASE("portability: pieces that are too large for others are warned about")
{
    const auto warnings = portability_warnings(1000, 1, 256_MiB);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0] ==
          "pieces of 256.0 MiB are too large for many other BitTorrent clients: they stop at 128.0 MiB");
}

} // namespace

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/verify/digest_comparison.hpp"

#include "catch.hpp"
#include "test_image.hpp"

#include "ezio/util/units.hpp"

namespace ezio {

namespace {

// 8 pieces of 16 KiB over extents that stand in the torrent in this order: two pieces in one extent, then one
// piece in three extents of which two touch, an empty extent, then the rest, of which the last piece is
// short.
const Image& image()
{
    static const Image image = test::image_of(
        {{1_MiB, 32_KiB}, {0, 4_KiB}, {4_KiB, 4_KiB}, {512_KiB, 8_KiB}, {256_KiB, 0}, {2_MiB, 80_KiB - 1}});
    return image;
}

} // namespace

TEST_CASE("verifier: nothing is wrong when every digest is the image's")
{
    CHECK(wrong_pieces(image(), image().hashes).empty());
}

TEST_CASE("verifier: the pieces that differ are found, in order")
{
    auto digests = image().hashes;
    REQUIRE(digests.size() == 8);
    digests[7].back() ^= 1;
    digests[0].front() ^= 1;
    digests[3][10] ^= 1;
    CHECK(wrong_pieces(image(), digests) == std::vector<std::uint32_t>{0, 3, 7});
}

TEST_CASE(
    "verifier: a hybrid's piece is right when both of its hashes are, or SHA-1 where that is all there is")
{
    Image hybrid = image();
    hybrid.v2_pieces.resize(hybrid.piece_count());
    const std::vector<Sha256Digest> roots(hybrid.piece_count(), Sha256Digest{1});
    for (const std::uint32_t piece : {0, 1, 2}) {
        hybrid.v2_pieces[piece].root = roots[piece];
    }
    hybrid.v2_pieces[1].root->back() ^= 1;
    auto digests = hybrid.hashes;
    digests[2].front() ^= 1;
    digests[5].front() ^= 1;
    CHECK(wrong_pieces(hybrid, digests, roots) == std::vector<std::uint32_t>{1, 2, 5});
}

TEST_CASE("verifier: an extent is named once, however many of its pieces differ")
{
    CHECK(describe_wrong(image(), {0}) == "1 of 8 pieces differs, in 1 extent: 0x100000");
    CHECK(describe_wrong(image(), {0, 1}) == "2 of 8 pieces differ, in 1 extent: 0x100000");
    CHECK(describe_wrong(image(), {3, 5, 7}) == "3 of 8 pieces differ, in 1 extent: 0x200000");
}

TEST_CASE("verifier: all extents that a piece spans are named, and no empty one")
{
    CHECK(describe_wrong(image(), {2}) == "1 of 8 pieces differs, in 3 extents: 0x0, 0x1000, 0x80000");
}

TEST_CASE("verifier: extents are named in the torrent's order")
{
    CHECK(describe_wrong(image(), {1, 2, 7}) ==
          "3 of 8 pieces differ, in 5 extents: 0x100000, 0x0, 0x1000, 0x80000, 0x200000");
}

TEST_CASE("verifier: pieces between which others are right do not bring in the extents between")
{
    CHECK(describe_wrong(image(), {0, 4}) == "2 of 8 pieces differ, in 2 extents: 0x100000, 0x200000");
}

TEST_CASE("verifier: of many extents the first five are named, and all are counted")
{
    std::vector<Extent> extents;
    std::vector<std::uint32_t> all;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        extents.push_back({i * 32_KiB, 16_KiB});
        all.push_back(i);
    }
    CHECK(describe_wrong(test::image_of(extents), all) ==
          "1000 of 1,000 pieces differ, in 1,000 extents: 0x0, 0x8000, 0x10000, 0x18000, 0x20000, ...");
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers/block_blame.hpp"

#include "catch.hpp"
#include "test_image.hpp"

#include <memory>

namespace ezio {

namespace {

using test::image_of;

constexpr std::uint64_t piece_length = 4 * block_bytes;

BlockSourcePtr new_source()
{
    return std::make_shared<BlockSource>();
}

Sha1Digest digest(std::uint8_t number)
{
    Sha1Digest digest{};
    digest[0] = number;
    return digest;
}

const BlockDigests right{digest(1), digest(2), digest(3), digest(4)};

// What each of the blocks of a piece was, where block `wrong` was not what it must be.
BlockDigests with_wrong(std::size_t wrong)
{
    BlockDigests digests = right;
    digests[wrong] = digest(99);
    return digests;
}

struct Blamed {
    Image image = image_of({{0, 8 * piece_length}}, piece_length);
    BlockBlame blame{image};
    BlockSourcePtr honest = new_source();
    BlockSourcePtr liar = new_source();

    void give(std::uint32_t piece, const BlockSources& sources)
    {
        for (std::uint32_t block = 0; block < sources.size(); ++block) {
            blame.taken(piece, block, sources[block]);
        }
    }
};

} // namespace

TEST_CASE("block blame: whoever gave what differs is guilty, and nobody else")
{
    Blamed it;
    it.give(2, {it.honest, it.liar, it.honest, it.liar});
    const BlockSources sources = it.blame.failed(2);
    CHECK(sources == BlockSources{it.honest, it.liar, it.honest, it.liar});
    CHECK(sole_source(sources) == nullptr);
    it.blame.remember(2, sources, with_wrong(3));
    CHECK(it.blame.suspects() == std::deque<std::uint32_t>{2});
    CHECK(it.blame.judge(2, right) == BlockSources{it.liar});
    CHECK(it.liar->is_guilty);
    CHECK_FALSE(it.honest->is_guilty);
    CHECK(it.blame.suspects().empty());
}

TEST_CASE("block blame: who is known to be guilty is not named again")
{
    Blamed it;
    it.liar->is_guilty = true;
    it.blame.remember(2, BlockSources(4, it.liar), with_wrong(0));
    CHECK(it.blame.judge(2, right).empty());
}

TEST_CASE("block blame: each failure of a piece is compared")
{
    Blamed it;
    const auto another = new_source();
    it.blame.remember(2, {it.liar, it.honest, it.honest, it.honest}, with_wrong(0));
    it.blame.remember(2, {it.honest, it.honest, it.honest, another}, with_wrong(3));
    CHECK(it.blame.suspects().size() == 1);
    CHECK(it.blame.judge(2, right) == BlockSources{it.liar, another});
}

TEST_CASE("block blame: a block that could not be read, or is of nobody, blames nobody")
{
    Blamed it;
    BlockDigests digests = with_wrong(0);
    digests[1].reset();
    it.blame.remember(2, {nullptr, it.liar, it.honest, it.honest}, digests);
    CHECK(it.blame.judge(2, right).empty());
    it.blame.remember(2, BlockSources(4, it.liar), with_wrong(0));
    CHECK(it.blame.judge(2, BlockDigests(4)).empty()); // what is right is not known either
}

TEST_CASE("block blame: a piece is one peer's alone only when each of its blocks is")
{
    Blamed it;
    it.give(2, BlockSources(4, it.liar));
    CHECK(sole_source(it.blame.failed(2)) == it.liar);
    CHECK(sole_source(it.blame.failed(2)) == nullptr); // it has been told: the next try has no blocks yet
    it.give(2, {it.liar, it.liar, it.liar});
    CHECK(sole_source(it.blame.failed(2)) == nullptr);
    CHECK(sole_source({}) == nullptr);
}

TEST_CASE("block blame: a block that is taken again is from the last one who gave it")
{
    Blamed it;
    it.give(2, BlockSources(4, it.honest));
    it.blame.taken(2, 1, it.liar);
    CHECK(it.blame.failed(2) == BlockSources{it.honest, it.liar, it.honest, it.honest});
}

TEST_CASE("block blame: a piece that passes tells who is good, and whether it is to be judged")
{
    Blamed it;
    it.give(2, {it.honest, it.liar, it.honest, it.honest});
    CHECK_FALSE(it.blame.passed(2));
    CHECK(it.honest->good_blocks == 3);
    CHECK(it.liar->good_blocks == 1);
    it.blame.remember(2, BlockSources(4, it.liar), with_wrong(0));
    CHECK(it.blame.passed(2));
    CHECK_FALSE(it.blame.passed(3)); // one that was on the disk
}

TEST_CASE("block blame: the last piece may be short")
{
    const Image image = image_of({{0, 2 * piece_length + block_bytes + 1}}, piece_length);
    const BlockBlame blame(image);
    CHECK(blame.blocks_of(0) == 4);
    CHECK(blame.blocks_of(2) == 2);
}

TEST_CASE("block blame: what is remembered is bounded, and the oldest goes first")
{
    Blamed it;
    constexpr std::size_t half = BlockBlame::most_blocks / 2;
    const BlockSources sources(half, it.liar);
    const BlockDigests digests(half, digest(99));
    for (std::uint32_t piece = 0; piece < 3; ++piece) {
        it.blame.remember(piece, sources, digests);
    }
    CHECK(it.blame.suspects() == std::deque<std::uint32_t>{1, 2});
    for (int again = 0; again < 3; ++again) {
        it.blame.remember(2, sources, digests);
    }
    CHECK(it.blame.suspects() == std::deque<std::uint32_t>{2});
    CHECK(it.blame.judge(2, BlockDigests(half, digest(1))) == BlockSources{it.liar});
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers/piece_probe.hpp"

#include "ezio/image/image.hpp"

#include "catch.hpp"
#include "test_payload.hpp"

#include <algorithm>

namespace ezio {

using test::sha1_of;

namespace {

const Clock::time_point start{};

struct Probed {
    std::vector<std::byte> data;
    PieceProbe probe;

    explicit Probed(std::size_t size) : data(test::random_bytes(size, 1)), probe(3, size, start) {}

    [[nodiscard]] std::span<const std::byte> block(std::uint32_t at) const
    {
        return std::span(data).subspan(at, std::min<std::size_t>(block_bytes, data.size() - at));
    }
    void give(std::uint32_t at, Clock::time_point now = start) { probe.take(at, block(at), now); }
};

std::vector<std::uint32_t> starts(const std::vector<PieceProbe::Block>& blocks)
{
    std::vector<std::uint32_t> starts;
    for (const PieceProbe::Block& block : blocks) {
        starts.push_back(block.start);
    }
    return starts;
}

} // namespace

TEST_CASE("piece probe: a piece is asked for in windows, and hashed as a whole and in blocks")
{
    Probed it(50 * block_bytes + 100);
    std::size_t asked = 0;
    while (!it.probe.is_complete()) {
        const auto requests = it.probe.next_requests();
        REQUIRE(!requests.empty());
        CHECK(requests.size() <= PieceProbe::window);
        asked += requests.size();
        for (const PieceProbe::Block& request : requests) {
            CHECK(request.length == it.block(request.start).size());
            it.give(request.start);
        }
    }
    CHECK(asked == 51);
    CHECK(it.probe.finish() == sha1_of(it.data));
    REQUIRE(it.probe.digests().size() == 51);
    CHECK(it.probe.digests()[50] == sha1_of(it.block(50 * block_bytes)));
    CHECK(it.probe.next_requests().empty());
}

TEST_CASE("piece probe: blocks may come in any order within the window")
{
    Probed it(4 * block_bytes);
    CHECK(starts(it.probe.next_requests()) ==
          std::vector<std::uint32_t>{0, block_bytes, 2 * block_bytes, 3 * block_bytes});
    for (const std::uint32_t block : {3U, 1U, 0U, 2U}) {
        CHECK_FALSE(it.probe.is_complete());
        it.give(block * block_bytes);
    }
    CHECK(it.probe.is_complete());
    CHECK(it.probe.finish() == sha1_of(it.data));
}

TEST_CASE("piece probe: what is far ahead, has the wrong length or is there already changes nothing")
{
    Probed it(40 * block_bytes);
    it.give(PieceProbe::window * block_bytes); // nor is it kept: what waits is bounded
    it.probe.take(0, it.block(0).first(100), start);
    it.probe.take(1, it.block(0), start);
    it.probe.take(100 * block_bytes, it.block(0), start);
    it.give(block_bytes);
    it.probe.take(block_bytes, it.block(0), start);
    for (std::uint32_t block = 0; block < 40; ++block) {
        it.give(block * block_bytes);
    }
    CHECK(it.probe.is_complete());
    CHECK(it.probe.finish() == sha1_of(it.data));
}

TEST_CASE("piece probe: a block is asked for once, and again when it was rejected")
{
    Probed it(2 * block_bytes);
    CHECK(it.probe.next_requests().size() == 2);
    CHECK(it.probe.next_requests().empty());
    it.probe.rejected(block_bytes);
    CHECK(starts(it.probe.next_requests()) == std::vector<std::uint32_t>{block_bytes});
}

TEST_CASE("piece probe: it has stalled when no block has come for a while")
{
    Probed it(4 * block_bytes);
    CHECK_FALSE(it.probe.has_stalled(start + PieceProbe::patience - milliseconds(1)));
    it.give(block_bytes, start + milliseconds(1000));
    it.give(block_bytes, start + milliseconds(2000)); // the same again
    CHECK_FALSE(it.probe.has_stalled(start + PieceProbe::patience));
    CHECK(it.probe.has_stalled(start + milliseconds(1000) + PieceProbe::patience));
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "compression/send_queue.hpp"

#include "compression/asked_blocks.hpp"
#include "compression/dense_data.hpp"

#include "catch.hpp"

namespace ezio {

namespace {

constexpr std::uint32_t unit = 128 * 1024;

UnitPlace block(std::uint32_t piece, std::uint32_t index, std::uint32_t length = block_bytes)
{
    return {piece, index * block_bytes, length};
}

SendQueue queue_of(const std::vector<UnitPlace>& blocks)
{
    SendQueue queue;
    for (const UnitPlace& one : blocks) {
        REQUIRE(queue.add(one));
    }
    return queue;
}

} // namespace

TEST_CASE("send queue: blocks that follow each other are one run")
{
    SendQueue queue = queue_of({block(1, 0), block(1, 1), block(1, 2), block(1, 4), block(2, 5)});
    CHECK(queue.next_run(unit) == UnitPlace{1, 0, 3 * block_bytes});
    queue.pop(queue.next_run(unit));
    CHECK(queue.next_run(unit) == block(1, 4));
    queue.pop(queue.next_run(unit));
    CHECK(queue.next_run(unit) == block(2, 5));
    queue.pop(queue.next_run(unit));
    CHECK(queue.empty());
}

TEST_CASE("send queue: a run ends at a multiple of the unit's length in its piece")
{
    std::vector<UnitPlace> blocks;
    for (std::uint32_t index = 5; index < 20; ++index) {
        blocks.push_back(block(0, index));
    }
    SendQueue queue = queue_of(blocks);
    std::vector<UnitPlace> runs;
    while (!queue.empty()) {
        runs.push_back(queue.next_run(unit));
        queue.pop(runs.back());
    }
    CHECK(runs == std::vector<UnitPlace>{{0, 5 * block_bytes, 3 * block_bytes},
                                         {0, 8 * block_bytes, 8 * block_bytes},
                                         {0, 16 * block_bytes, 4 * block_bytes}});
}

TEST_CASE("send queue: the short block at the end of the payload ends a run")
{
    SendQueue queue = queue_of({block(9, 0), block(9, 1, 100), block(0, 0)});
    CHECK(queue.next_run(unit) == UnitPlace{9, 0, block_bytes + 100});
    queue.pop(queue.next_run(unit));
    CHECK(queue.size() == 1);
}

TEST_CASE("send queue: a block asked for twice is sent twice, and what is out of order is not joined")
{
    SendQueue queue = queue_of({block(0, 1), block(0, 1), block(0, 0)});
    CHECK(queue.next_run(unit) == block(0, 1));
    queue.pop(block(0, 1));
    CHECK(queue.next_run(unit) == block(0, 1));
    queue.pop(block(0, 1));
    CHECK(queue.next_run(unit) == block(0, 0));
}

TEST_CASE("send queue: what is cancelled is not sent, and what is not there cannot be")
{
    SendQueue queue = queue_of({block(0, 0), block(0, 1), block(0, 2)});
    CHECK(queue.cancel(block(0, 1)));
    CHECK_FALSE(queue.cancel(block(0, 1)));
    CHECK_FALSE(queue.cancel(block(0, 2, 100)));
    CHECK(queue.next_run(unit) == block(0, 0));
    CHECK(queue.take_all() == std::vector<UnitPlace>{block(0, 0), block(0, 2)});
    CHECK(queue.empty());
}

TEST_CASE("send queue: it has an end")
{
    SendQueue queue;
    for (std::size_t i = 0; i < SendQueue::most_blocks; ++i) {
        REQUIRE(queue.add(block(0, 0)));
    }
    CHECK_FALSE(queue.add(block(0, 0)));
}

TEST_CASE("asked blocks: a run is taken when each of its blocks was asked for, once")
{
    AskedBlocks asked;
    asked.asked(1, 0);
    asked.asked(1, block_bytes);
    CHECK_FALSE(asked.take({1, 0, 3 * block_bytes}));
    CHECK_FALSE(asked.take({0, 0, block_bytes}));
    CHECK(asked.take({1, 0, 2 * block_bytes}));
    CHECK_FALSE(asked.take({1, 0, block_bytes}));
    CHECK(asked.size() == 0);
}

TEST_CASE("asked blocks: what was answered otherwise is not asked for any more")
{
    AskedBlocks asked;
    asked.asked(1, 0);
    asked.asked(1, 0);
    asked.answered(1, 0);
    asked.answered(7, 0); // which was not asked for
    CHECK(asked.take({1, 0, 100}));
    CHECK_FALSE(asked.take({1, 0, 100}));
}

TEST_CASE("dense data: everything is tried until some units in a row have not shrunk")
{
    DenseData dense;
    for (int i = 0; i < 7; ++i) {
        dense.did_not_shrink();
        CHECK_FALSE(dense.leave_out());
    }
    dense.did_shrink();
    for (int i = 0; i < 7; ++i) {
        dense.did_not_shrink();
    }
    CHECK_FALSE(dense.leave_out());
}

TEST_CASE("dense data: ever more is left out between tries, up to a limit, until something shrinks")
{
    DenseData dense;
    const auto left_out_of = [&dense](int blocks) {
        int left_out = 0;
        for (int i = 0; i < blocks; ++i) {
            left_out += dense.leave_out() ? 1 : 0;
        }
        return left_out;
    };
    for (int i = 0; i < 8; ++i) {
        dense.did_not_shrink();
    }
    CHECK(dense.leave_out());
    for (int i = 0; i < 100; ++i) {
        dense.did_not_shrink(); // they were on their way
    }
    CHECK(left_out_of(16 * 100) == 8 * 100); // a unit left out, a unit tried
    for (int i = 0; i < 100; ++i) {
        dense.did_not_shrink();
        CHECK(left_out_of(8 * 200) > 0);
    }
    CHECK(left_out_of(8 * 65 * 10) == 8 * 64 * 10); // any ten cycles
    dense.did_shrink();
    CHECK(left_out_of(100) == 0);
}

} // namespace ezio

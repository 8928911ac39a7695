// SPDX-License-Identifier: GPL-2.0-or-later
#include "peers/message_budget.hpp"

#include "catch.hpp"

namespace ezio {

namespace {

// How many messages it may send at this moment, up to `most`.
std::uint64_t spent_of(MessageBudget& budget, std::uint64_t most)
{
    std::uint64_t messages = 0;
    while (messages < most && budget.spend()) {
        ++messages;
    }
    return messages;
}

} // namespace

TEST_CASE("message budget: a peer may say of each piece, all at once, that it is here, gone, and here again")
{
    constexpr std::uint32_t pieces = 100'000;
    MessageBudget budget(pieces);
    CHECK(spent_of(budget, 3 * pieces) == 3 * pieces);
}

TEST_CASE("message budget: who sends messages and nothing else gets no further than a few for each piece")
{
    MessageBudget budget(500);
    CHECK(spent_of(budget, 1'000'000) < 25'000);
    REQUIRE(budget.second(0, 0));
    CHECK(spent_of(budget, 1'000'000) == 2000);
}

TEST_CASE("message budget: blocks pay for the messages that they take")
{
    MessageBudget budget(500);
    (void)spent_of(budget, 1'000'000);
    for (int block = 0; block < 1'000'000; ++block) { // a request, the block, and a cancel
        budget.exchanged(16384);
        REQUIRE(budget.spend(3));
    }
}

TEST_CASE("message budget: what is saved up is no more than at the start")
{
    MessageBudget budget(500);
    for (int second = 0; second < 3600; ++second) {
        budget.exchanged(100'000'000);
        REQUIRE(budget.second(0, 100'000'000));
    }
    CHECK(spent_of(budget, 1'000'000) < 25'000);
}

TEST_CASE("message budget: bytes that are no data are limited by the data, and by what comes at once")
{
    MessageBudget budget(500);
    for (int second = 0; second < 3600; ++second) { // headers of packets at 10 Gbit/s
        REQUIRE(budget.second(40'000'000, 1'200'000'000));
    }
    CHECK(budget.second(1 << 20, 0)); // a bitfield, and 10 bytes for each piece
    CHECK_FALSE(budget.second(5'000'000, 0));
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "compression/unit_store.hpp"

#include "catch.hpp"

namespace ezio {

namespace {

constexpr std::uint64_t plenty = 1 << 20;

UnitPtr unit(std::uint32_t piece, std::uint32_t start, std::uint32_t length = block_bytes,
             std::size_t packed = 1000)
{
    return std::make_shared<const Unit>(Unit{Codec::lz4, {piece, start, length}, std::vector<char>(packed)});
}

} // namespace

TEST_CASE("unit store: what was compressed here is there for whoever asks for it next")
{
    UnitStore store(plenty);
    const UnitPtr one = unit(1, block_bytes, 2 * block_bytes);
    store.add_verified(one);
    CHECK(store.find({1, block_bytes, 2 * block_bytes}) == one);
    CHECK(store.find({1, block_bytes, 8 * block_bytes}) == one); // for the first part of it
    CHECK(store.find({1, block_bytes, block_bytes}) == nullptr);
    CHECK(store.find({1, 0, 8 * block_bytes}) == nullptr);
    CHECK(store.find({2, block_bytes, 2 * block_bytes}) == nullptr);
}

TEST_CASE(
    "unit store: what was received is passed on when its piece has passed, and never when it has failed")
{
    UnitStore store(plenty);
    store.add_received(unit(1, 0));
    store.add_received(unit(1, block_bytes));
    store.add_received(unit(2, 0));
    CHECK(store.find({1, 0, block_bytes}) == nullptr);
    store.piece_passed(1);
    CHECK(store.find({1, 0, block_bytes}) != nullptr);
    CHECK(store.find({1, block_bytes, block_bytes}) != nullptr);
    store.piece_failed(2);
    store.piece_passed(2);
    CHECK(store.find({2, 0, block_bytes}) == nullptr);
}

TEST_CASE("unit store: a unit of the same place replaces the other, with what is known of it")
{
    UnitStore store(plenty);
    store.add_verified(unit(1, 0));
    const UnitPtr second = unit(1, 0, 2 * block_bytes);
    store.add_received(second);
    CHECK(store.find({1, 0, 2 * block_bytes}) == nullptr);
    store.piece_passed(1);
    CHECK(store.find({1, 0, 2 * block_bytes}) == second);
}

TEST_CASE("unit store: it is bounded, and what was used least recently goes")
{
    UnitStore store(10'000);
    for (std::uint32_t piece = 0; piece < 7; ++piece) {
        store.add_verified(unit(piece, 0));
        CHECK(store.bytes() <= 10'000);
    }
    CHECK(store.find({0, 0, block_bytes}) != nullptr); // now the most recent
    store.add_verified(unit(7, 0));
    CHECK(store.find({1, 0, block_bytes}) == nullptr);
    CHECK(store.find({0, 0, block_bytes}) != nullptr);
    CHECK(store.find({7, 0, block_bytes}) != nullptr);
    store.add_verified(unit(8, 0, block_bytes, 20'000));
    CHECK(store.find({8, 0, block_bytes}) == nullptr);
    CHECK(store.bytes() == 0);
}

TEST_CASE("unit store: it leaves room for what has to wait")
{
    UnitStore store(10'000);
    for (std::uint32_t piece = 0; piece < 7; ++piece) {
        store.add_verified(unit(piece, 0));
    }
    store.leave_room(5'000);
    CHECK(store.bytes() <= 5'000);
    CHECK(store.find({6, 0, block_bytes}) != nullptr);
    store.leave_room(50'000);
    CHECK(store.bytes() == 0);
    store.leave_room(0);
    store.add_verified(unit(1, 0));
    CHECK(store.find({1, 0, block_bytes}) != nullptr);
}

TEST_CASE("unit store: who cannot read a codec gets nothing of it")
{
    UnitStore store(plenty);
    store.add_verified(
        std::make_shared<const Unit>(Unit{Codec::zstd, {1, 0, block_bytes}, std::vector<char>(10)}));
    CHECK(store.find({1, 0, block_bytes}, lz4_bit) == nullptr);
    CHECK(store.find({1, 0, block_bytes}, zstd_bit) != nullptr);
}

TEST_CASE("unit store: what is being sent outlives its place in the store")
{
    UnitStore store(2'000);
    store.add_verified(unit(1, 0));
    const UnitPtr sent = store.find({1, 0, block_bytes});
    store.add_verified(unit(2, 0));
    CHECK(store.find({1, 0, block_bytes}) == nullptr);
    CHECK(sent->packed.size() == 1000);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "catch.hpp"
#include "engine_rig.hpp"

namespace ezio {

namespace {

using test::EngineRig;

// Pieces of 64 KiB: data up to within the second block, then padding; a piece of padding; a piece of data; a
// short one that ends in padding.
EngineRig::Setup padded()
{
    EngineRig::Setup setup;
    setup.piece_length = 64_KiB;
    setup.extents = {{1_MiB, 20_KiB}, {2_MiB, 64_KiB + 100}};
    setup.padding = {{20_KiB, 44_KiB + 64_KiB}, {192_KiB + 100, 30_KiB}};
    return setup;
}

EngineRig::Setup padded_and_complete()
{
    EngineRig::Setup setup = padded();
    setup.disk = EngineRig::Setup::Disk::complete;
    return setup;
}

constexpr std::uint64_t data_bytes = 84_KiB + 100;
constexpr std::uint64_t payload_bytes = 222_KiB + 100;

} // namespace

TEST_CASE(
    "disk engine: blocks of padding need not arrive, nothing is written for them, and only data is counted")
{
    EngineRig rig(padded());
    CHECK(rig.engine().facts().done_bytes == 64_KiB); // the piece of padding
    for (const std::uint64_t block : {0U, 1U, 8U, 9U, 10U, 11U, 12U}) {
        (void)rig.write(block);
    }
    for (const std::uint32_t piece : {0U, 2U, 3U}) {
        const auto hash = rig.hash(piece);
        REQUIRE(rig.comes(hash));
        CHECK(hash->error == 0);
        CHECK(hash->digest == rig.image.hashes[piece]);
    }
    REQUIRE(test::comes_true([&] { return rig.engine().facts().done_bytes == payload_bytes; }));
    CHECK(rig.engine().facts().written_bytes == data_bytes);
    CHECK(rig.target_has(0, payload_bytes));
    CHECK(rig.rest_is_untouched());
}

TEST_CASE("disk engine: what a peer sends as padding is taken for zeros")
{
    EngineRig rig(padded());
    (void)rig.write(0);
    std::vector<std::byte> block(rig.payload.begin() + 16_KiB, rig.payload.begin() + 32_KiB);
    std::ranges::fill(std::span(block).subspan(4_KiB), std::byte{0x5a});
    (void)rig.write_bytes(16_KiB, block);
    (void)rig.write_bytes(32_KiB, std::vector<std::byte>(16_KiB, std::byte{0x5a}));
    const auto hash = rig.hash(0);
    REQUIRE(rig.comes(hash));
    CHECK(hash->digest == rig.image.hashes[0]);
    for (const std::uint64_t offset : {16_KiB, 32_KiB, 48_KiB}) {
        const auto read = rig.read(offset, 16_KiB);
        REQUIRE(rig.comes(read));
        CHECK(rig.is_right(*read, offset, 16_KiB));
    }
}

TEST_CASE("disk engine: a piece that is cleared keeps its padding")
{
    EngineRig rig(padded());
    (void)rig.write(0, EngineRig::Data::wrong);
    (void)rig.write(1);
    const auto wrong = rig.hash(0);
    REQUIRE(rig.comes(wrong));
    CHECK(wrong->digest != rig.image.hashes[0]);
    REQUIRE(rig.comes(rig.clear(0)));
    (void)rig.write(0);
    (void)rig.write(1);
    const auto right = rig.hash(0);
    REQUIRE(rig.comes(right));
    CHECK(right->digest == rig.image.hashes[0]);
}

TEST_CASE("disk engine: padding is served as zeros, and only data is read from the target")
{
    EngineRig rig(padded_and_complete());
    CHECK(rig.engine().facts().done_bytes == payload_bytes);
    for (std::uint64_t at = 0; at < payload_bytes; at += 16_KiB) {
        const std::uint64_t length = std::min<std::uint64_t>(16_KiB, payload_bytes - at);
        const auto read = rig.read(at, length);
        REQUIRE(rig.comes(read));
        CHECK(rig.is_right(*read, at, length));
    }
    CHECK(rig.engine().facts().read_bytes == data_bytes);
}

TEST_CASE("disk engine: padding is zeros also where the memory for it had other bytes before")
{
    EngineRig::Setup setup = padded_and_complete();
    setup.extents = {{1_MiB, 3_MiB + 4_KiB}}; // more than the engine has memory for
    setup.padding = {{3_MiB + 4_KiB, 60_KiB}};
    EngineRig rig(setup);
    for (std::uint64_t at = 0; at < rig.payload.size(); at += 16_KiB) {
        const auto read = rig.read(at, 16_KiB);
        REQUIRE(rig.comes(read));
        CHECK(rig.is_right(*read, at, 16_KiB));
        rig.free(*read);
    }
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "compression/codec.hpp"

#include "catch.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <string>

namespace ezio {

namespace {

std::vector<std::byte> text(std::size_t size)
{
    std::vector<std::byte> data(size);
    for (std::size_t i = 0; i < size; ++i) {
        data[i] = static_cast<std::byte>("the quick brown fox "[i % 20] + i / 4096 % 3);
    }
    return data;
}

std::vector<std::byte> noise(std::size_t size)
{
    std::mt19937 random(1);
    std::vector<std::byte> data(size);
    for (std::byte& byte : data) {
        byte = static_cast<std::byte>(random());
    }
    return data;
}

const std::vector<Effort> efforts{{Codec::lz4, 0}, {Codec::zstd, -1}, {Codec::zstd, 1}, {Codec::zstd, 3}};

std::vector<char> pack(Effort effort, const std::vector<std::byte>& data)
{
    Packer packer;
    std::vector<char> result;
    REQUIRE(packer.pack(effort, data, data.size(), result));
    return result;
}

bool unpacks(Codec codec, const std::vector<char>& packed, std::size_t size)
{
    std::vector<char> data(size);
    return unpack(codec, packed, data);
}

std::vector<char> joined(std::vector<char> first, const std::vector<char>& second)
{
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

} // namespace

TEST_CASE("codec: what was packed comes out as it was, whatever its size")
{
    for (const Effort effort : efforts) {
        for (const std::size_t size : {100U, 16384U, 16385U, 131072U, 262144U}) {
            const auto data = text(size);
            const auto small = pack(effort, data);
            CHECK(small.size() < size);
            std::vector<char> out(size);
            REQUIRE(unpack(effort.codec, small, out));
            CHECK(std::memcmp(out.data(), data.data(), size) == 0);
        }
    }
}

TEST_CASE("codec: one packer packs unit after unit, each alone, with whatever effort")
{
    Packer packer;
    const auto data = text(131072);
    for (const Effort effort : efforts) {
        std::vector<char> first;
        std::vector<char> second;
        REQUIRE(packer.pack(effort, data, data.size(), first));
        REQUIRE(packer.pack(effort, data, data.size(), second));
        CHECK(first == second);
        CHECK(first == pack(effort, data));
    }
}

TEST_CASE("codec: what does not become small enough is not packed")
{
    Packer packer;
    std::vector<char> out;
    for (const Effort effort : efforts) {
        for (const std::size_t size : {16384U, 131072U}) {
            CHECK_FALSE(packer.pack(effort, noise(size), size * 15 / 16, out));
        }
        const auto data = text(131072);
        CHECK_FALSE(packer.pack(effort, data, pack(effort, data).size() / 2, out));
    }
}

TEST_CASE("codec: data that is dense here and there is packed by zstd, too")
{
    auto data = noise(131072);
    const auto readable = text(65536);
    std::copy(readable.begin(), readable.end(), data.begin() + 32768); // the probe in the middle sees it
    Packer packer;
    std::vector<char> out;
    CHECK(packer.pack({Codec::zstd, 1}, data, data.size() * 15 / 16, out));
}

TEST_CASE("codec: only the exact length comes out")
{
    for (const Effort effort : efforts) {
        const auto small = pack(effort, text(16384));
        CHECK(unpacks(effort.codec, small, 16384));
        CHECK_FALSE(unpacks(effort.codec, small, 16383)); // a bomb, if it were let
        CHECK_FALSE(unpacks(effort.codec, small, 16385));
        CHECK_FALSE(unpacks(effort.codec, small, 1));
    }
}

TEST_CASE("codec: one is not the other")
{
    const auto data = text(16384);
    CHECK_FALSE(unpacks(Codec::zstd, pack({Codec::lz4, 0}, data), 16384));
    CHECK_FALSE(unpacks(Codec::lz4, pack({Codec::zstd, 1}, data), 16384));
}

TEST_CASE("codec: damaged, cut and lengthened data is refused or comes out at that length")
{
    for (const Effort effort : efforts) {
        const auto small = pack(effort, text(16384));
        for (std::size_t cut = 0; cut < small.size(); ++cut) {
            CHECK_FALSE(unpacks(effort.codec,
                                {small.begin(), small.begin() + static_cast<std::ptrdiff_t>(cut)}, 16384));
        }
        CHECK_FALSE(unpacks(effort.codec, joined(small, {0}), 16384));
        for (std::size_t at = 0; at < small.size(); ++at) {
            std::vector<char> damaged = small;
            damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
            (void)unpacks(effort.codec, damaged, 16384); // nothing beyond it is touched: for the sanitizers
        }
    }
}

TEST_CASE("codec: of zstd only one frame is taken, and none that is to be skipped")
{
    const Effort effort{Codec::zstd, 1};
    const auto half = pack(effort, text(8192));
    CHECK(unpacks(Codec::zstd, half, 8192));
    CHECK_FALSE(unpacks(Codec::zstd, joined(half, half), 16384));
    CHECK_FALSE(unpacks(Codec::zstd, joined(half, half), 8192));
    const std::vector<char> skipped{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 'x', 'x', 'x', 'x'};
    CHECK_FALSE(unpacks(Codec::zstd, joined(skipped, half), 8192));
    CHECK_FALSE(unpacks(Codec::zstd, joined(half, skipped), 8192));
    CHECK_FALSE(unpacks(Codec::zstd, skipped, 8192));
    CHECK_FALSE(unpacks(Codec::zstd, {}, 8192));
}

} // namespace ezio

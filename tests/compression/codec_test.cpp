// SPDX-License-Identifier: GPL-2.0-or-later
#include "compression/codec.hpp"

#include "catch.hpp"

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

std::vector<char> packed(const std::vector<std::byte>& data)
{
    Packer packer;
    std::vector<char> result;
    REQUIRE(packer.pack(data, data.size(), result));
    return result;
}

bool unpacks(const std::vector<char>& packed, std::size_t size)
{
    std::vector<char> data(size);
    return unpack(Codec::lz4, packed, data);
}

} // namespace

TEST_CASE("codec: what was packed comes out as it was, whatever its size")
{
    for (const std::size_t size : {100U, 16384U, 16385U, 131072U, 262144U}) {
        const auto data = text(size);
        const auto small = packed(data);
        CHECK(small.size() < size);
        std::vector<char> out(size);
        REQUIRE(unpack(Codec::lz4, small, out));
        CHECK(std::memcmp(out.data(), data.data(), size) == 0);
    }
}

TEST_CASE("codec: one packer packs unit after unit, each alone")
{
    Packer packer;
    const auto data = text(131072);
    std::vector<char> first;
    std::vector<char> second;
    REQUIRE(packer.pack(data, data.size(), first));
    REQUIRE(packer.pack(data, data.size(), second));
    CHECK(first == second);
}

TEST_CASE("codec: what does not become small enough is not packed")
{
    Packer packer;
    std::vector<char> out;
    const auto random = noise(131072);
    CHECK_FALSE(packer.pack(random, random.size() * 15 / 16, out));
    const auto data = text(131072);
    const std::size_t size = packed(data).size();
    CHECK(packer.pack(data, size, out));
    CHECK_FALSE(packer.pack(data, size - 1, out));
}

TEST_CASE("codec: only the exact length comes out")
{
    const auto small = packed(text(16384));
    CHECK(unpacks(small, 16384));
    CHECK_FALSE(unpacks(small, 16383)); // a bomb, if it were let
    CHECK_FALSE(unpacks(small, 16385));
    CHECK_FALSE(unpacks(small, 1));
}

TEST_CASE("codec: damaged, cut and lengthened data is refused or comes out at that length")
{
    const auto small = packed(text(16384));
    for (std::size_t cut = 0; cut < small.size(); ++cut) {
        CHECK_FALSE(unpacks({small.begin(), small.begin() + static_cast<std::ptrdiff_t>(cut)}, 16384));
    }
    std::vector<char> longer = small;
    longer.push_back(0);
    CHECK_FALSE(unpacks(longer, 16384));
    for (std::size_t at = 0; at < small.size(); ++at) {
        std::vector<char> damaged = small;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
        (void)unpacks(damaged, 16384); // nothing beyond it is touched: for the sanitizers
    }
}

} // namespace ezio

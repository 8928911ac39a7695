// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/image/sha256.hpp"

#include "catch.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

namespace ezio {

namespace {

std::string hex(const Sha256Digest& digest)
{
    return fmt::format("{:02x}", fmt::join(digest, ""));
}

// printf 'abc' | sha256sum
constexpr const char* sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
// head -c 16384 /dev/zero | sha256sum
constexpr const char* sha256_of_a_block_of_zeros =
    "4fe7b59af6de3b665b67788cc2f99892ab827efae3a467342b3bb4e3bc8e5bfe";
// head -c 64 /dev/zero | sha256sum
constexpr const char* sha256_of_two_zero_digests =
    "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b";

} // namespace

TEST_CASE("sha256: of each block, however the data comes, without what comes after it")
{
    std::vector<std::byte> data(3 * 16384);
    data[32768] = std::byte{'a'};
    data[32769] = std::byte{'b'};
    data[32770] = std::byte{'c'};
    for (const std::size_t step : {1U, 1000U, 16384U, 20000U, 49152U}) {
        Sha256Blocks blocks(32768 + 3);
        for (std::size_t at = 0; at < data.size(); at += step) {
            blocks.update(std::span(data).subspan(at, std::min(step, data.size() - at)));
        }
        REQUIRE(blocks.digests().size() == 3);
        CHECK(hex(blocks.digests()[0]) == sha256_of_a_block_of_zeros);
        CHECK(hex(blocks.digests()[1]) == sha256_of_a_block_of_zeros);
        CHECK(hex(blocks.digests()[2]) == sha256_of_abc);
    }
}

TEST_CASE("sha256: the root of a tree of one leaf is the leaf, of two is the hash of both")
{
    const Sha256Digest zero{};
    Sha256Digest one{};
    one[0] = 1;
    CHECK(merkle_root({one}, 1) == one);
    CHECK(hex(merkle_root({zero, zero}, 2)) == sha256_of_two_zero_digests);
    CHECK(merkle_root({one}, 2) == merkle_root({one, zero}, 2));
    CHECK(merkle_root({zero, one}, 2) != merkle_root({one, zero}, 2));
}

TEST_CASE("sha256: missing leaves are zero, or what they are said to be, on every level")
{
    Sha256Digest one{};
    one[0] = 1;
    const Sha256Digest pair = merkle_root({}, 2);
    CHECK(merkle_root({one, one, one}, 8) ==
          merkle_root({merkle_root({one, one}, 2), merkle_root({one}, 2)}, 4, pair));
    CHECK(merkle_root({}, 8) == merkle_root({}, 4, pair));
}

} // namespace ezio

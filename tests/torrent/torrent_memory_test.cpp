// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/torrent_memory.hpp"

#include "ezio/torrent/torrent_file.hpp"
#include "ezio/util/units.hpp"

#include "catch.hpp"
#include "expect_error.hpp"
#include "test_image.hpp"

namespace ezio {

using test::refusal_of;

namespace {

// As far as the estimate looks.
std::string torrent_of(std::size_t extents, std::size_t pieces)
{
    std::string torrent = "d4:infod5:filesl";
    for (std::size_t extent = 0; extent < extents; ++extent) {
        torrent += "d6:lengthi4096e4:pathl16:0000000000000000ee";
    }
    torrent += "e6:pieces" + std::to_string(20 * pieces) + ":" + std::string(20 * pieces, '-');
    return torrent + "ee";
}

void accept(std::uint64_t memory, std::size_t extents, std::size_t pieces)
{
    TorrentMemory(memory).refuse_large(torrent_of(extents, pieces), "a.torrent");
}

} // namespace

TEST_CASE("torrent memory: a usual image takes nothing of the least memory that can be given")
{
    accept(32_MiB, 100'000, 10'000);
    const Image image = test::image_of({{0, 1_GiB}}, 1_MiB);
    CHECK(TorrentMemory(32_MiB).for_data(image) == 32_MiB);
}

TEST_CASE("torrent memory: what takes too much is refused, with what it needs")
{
    auto refusal = refusal_of([] { accept(256_MiB, 1, 3'000'000); });
    CHECK(refusal.status == ExitStatus::torrent);
    CHECK(refusal.message ==
          "a.torrent has 3,000,000 pieces and 1 extent, which takes more memory than --memory "
          "allows; it needs --memory 351M or more");
    accept(351_MiB, 1, 3'000'000);
    refusal = refusal_of([] { accept(32_MiB, 150'000, 10); });
    CHECK(refusal.message ==
          "a.torrent has 10 pieces and 150,000 extents, which takes more memory than --memory "
          "allows; it needs --memory 36M or more");
    accept(36_MiB, 150'000, 10);
}

TEST_CASE("torrent memory: a file is refused by its size alone when whatever is in it takes too much")
{
    const TorrentMemory memory(32_MiB);
    CHECK(memory.longest_file() == 8_MiB);
    memory.refuse_long(8_MiB, "a.torrent");
    const auto refusal = refusal_of([&] { memory.refuse_long(80_MiB, "a.torrent"); });
    CHECK(refusal.status == ExitStatus::torrent);
    CHECK(refusal.message ==
          "a.torrent is 80.0 MiB long, which takes more memory than --memory allows; it needs "
          "--memory 464M or more");
}

TEST_CASE("torrent memory: what is being read is refused as soon as it is too long")
{
    const TorrentMemory memory(32_MiB);
    memory.refuse_longer(8_MiB, "a.torrent");
    const auto refusal = refusal_of([&] { memory.refuse_longer(9_MiB, "a.torrent"); });
    CHECK(refusal.status == ExitStatus::torrent);
    CHECK(refusal.message ==
          "a.torrent is longer than 8.0 MiB, which takes more memory than --memory allows; it needs --memory "
          "38M or more");
}

TEST_CASE("torrent memory: what is beyond the rest of the process leaves less for data")
{
    Image image;
    image.hashes.resize(1'000'000); // 122 MiB
    CHECK(TorrentMemory(256_MiB).for_data(image) == 256_MiB - (128'000'000 - 32_MiB));
    CHECK(TorrentMemory(32_MiB).for_data(image) == 16_MiB); // which is refused before
}

TEST_CASE("torrent memory: what a decoder would make of it is bounded")
{
    CHECK(TorrentMemory(32_MiB).most_tokens() == 48 * 1024 * 1024 / 24);
    std::string nested = "d4:infod5:filesl";
    for (int i = 0; i < 3'000'000; ++i) {
        nested += "le";
    }
    nested += "eee";
    const auto refusal = refusal_of([&] { (void)parse_torrent(nested, "a.torrent", TorrentMemory(32_MiB)); });
    CHECK(refusal.status == ExitStatus::torrent);
    CHECK(refusal.message.starts_with("a.torrent is not a torrent: "));
}

} // namespace ezio

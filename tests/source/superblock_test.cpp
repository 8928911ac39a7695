// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/superblock.hpp"

#include "expect_error.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace ezio {

namespace {

using Bytes = std::array<std::byte, superblock_bytes>;

void put(Bytes& bytes, std::size_t offset, std::uint64_t number, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i) {
        bytes[offset + i] = static_cast<std::byte>(number >> (8 * i));
    }
}

bool is_clean(std::uint64_t state, std::uint64_t features)
{
    Bytes bytes{};
    put(bytes, 0x3a, state, 2);
    put(bytes, 0x60, features, 4);
    return ext_is_clean(bytes);
}

std::optional<Extent> boot_copy(std::uint64_t sector, std::uint64_t sectors)
{
    Bytes bytes{};
    put(bytes, 0x0b, sector, 2);
    put(bytes, 0x28, sectors, 8);
    return ntfs_boot_copy(bytes);
}

} // namespace

TEST_CASE("superblock: an ext4 is clean when it is valid, without errors and without a journal to replay")
{
    CHECK(is_clean(1, 0x2c2));
    CHECK_FALSE(is_clean(0, 0x2c2)); // not unmounted
    CHECK_FALSE(is_clean(3, 0x2c2)); // errors were found
    CHECK_FALSE(is_clean(1, 0x2c6)); // the journal is not empty
}

TEST_CASE("superblock: an ext with a journal that is no inode has it on another device")
{
    Bytes bytes{};
    put(bytes, 0xd0, 0x0706050403020100, 8);
    put(bytes, 0xd8, 0x0f0e0d0c0b0a0908, 8);
    CHECK(ext_journal_device(bytes).empty());
    put(bytes, 0x5c, 4, 4);
    CHECK(ext_journal_device(bytes) == "00010203-0405-0607-0809-0a0b0c0d0e0f");
    put(bytes, 0xe0, 8, 4);
    CHECK(ext_journal_device(bytes).empty());
}

TEST_CASE("superblock: a btrfs tells of how many devices it is made")
{
    Bytes bytes{};
    put(bytes, 0x88, 2, 8);
    CHECK(btrfs_device_count(bytes) == 2);
}

TEST_CASE("superblock: a btrfs is clean when it has no log to take over")
{
    Bytes bytes{};
    put(bytes, 0x58, ~0ULL, 8); // what stands before it, and behind it
    put(bytes, 0x68, ~0ULL, 8);
    CHECK(btrfs_is_clean(bytes));
    put(bytes, 0x60, 1ULL << 40, 8);
    CHECK_FALSE(btrfs_is_clean(bytes));
}

TEST_CASE("superblock: NTFS keeps the copy of its boot sector behind its last sector")
{
    CHECK(boot_copy(512, 147455) == Extent{147455 * 512, 512});
    CHECK(boot_copy(4096, 1000) == Extent{4096000, 4096});
}

TEST_CASE("superblock: numbers that no NTFS has give no copy")
{
    CHECK_FALSE(boot_copy(0, 1000));
    CHECK_FALSE(boot_copy(8192, 1000));
    CHECK_FALSE(boot_copy(512, 0));
    CHECK_FALSE(boot_copy(512, ~0ULL));
}

TEST_CASE("superblock: swap space counts in the pages of the machine that made it")
{
    const auto end = [](std::size_t page, std::uint64_t last_page) {
        std::array<std::byte, largest_page> bytes{};
        const std::string_view signature = "SWAPSPACE2";
        std::transform(signature.begin(), signature.end(), bytes.begin() + page - signature.size(),
                       [](char c) { return static_cast<std::byte>(c); });
        for (std::size_t i = 0; i < 4; ++i) {
            bytes[1028 + i] = static_cast<std::byte>(last_page >> (8 * i));
        }
        return swap_end(bytes);
    };
    CHECK(end(4096, 2047) == 8 << 20);
    CHECK(end(65536, 127) == 8 << 20);
    CHECK_FALSE(end(4096, 0));
    CHECK_FALSE(end(4097, 2047));
}

TEST_CASE("superblock: a FAT of fewer than 4,085 clusters is a FAT12")
{
    const auto fat = [](std::uint64_t sectors, std::uint64_t sectors_in_cluster, std::uint64_t fat_sectors) {
        Bytes bytes{};
        put(bytes, 0x0b, 512, 2);
        put(bytes, 0x0d, sectors_in_cluster, 1);
        put(bytes, 0x0e, 4, 2);
        put(bytes, 0x10, 2, 1);
        put(bytes, 0x11, 512, 2);
        put(bytes, sectors < 65536 ? 0x13 : 0x20, sectors, sectors < 65536 ? 2 : 4);
        put(bytes, 0x16, fat_sectors, 2);
        return is_fat12(bytes);
    };
    constexpr std::uint64_t system = 4 + 2 * 12 + 32; // sectors: reserved, FATs, root directory
    CHECK(fat(system + 4084 * 4 + 3, 4, 12));
    CHECK_FALSE(fat(system + 4085 * 4, 4, 12));
    CHECK(fat(system + 4084 * 32, 32, 12));
    CHECK_FALSE(fat(system + 4085 * 32, 32, 12));
    CHECK_FALSE(fat(100'000, 1, 0)); // FAT32
    CHECK_FALSE(is_fat12(Bytes{}));
}

TEST_CASE("superblock: where the table of a FAT is, its clusters, and what is in front of them")
{
    Bytes bytes{}; // of 10,000 clusters of 2 KiB
    put(bytes, 0x0b, 512, 2);
    put(bytes, 0x0d, 4, 1);
    put(bytes, 0x0e, 8, 2);
    put(bytes, 0x10, 2, 1);
    put(bytes, 0x11, 512, 2);
    put(bytes, 0x13, 8 + 2 * 40 + 32 + 40'000, 2);
    put(bytes, 0x16, 40, 2);
    const auto fat16 = fat_layout(bytes);
    REQUIRE(fat16);
    CHECK(fat16->table == Extent{8 * 512 + 4, 20'000});
    CHECK(fat16->entry_bytes == 2);
    CHECK(fat16->data_begin == (8 + 2 * 40 + 32) * 512);
    CHECK(fat16->cluster_bytes == 2048);
    put(bytes, 0x16, 39, 2); // too small for 10,002 entries
    put(bytes, 0x13, 8 + 2 * 39 + 32 + 40'000, 2);
    CHECK_FALSE(fat_layout(bytes));

    put(bytes, 0x16, 0, 2); // FAT32
    put(bytes, 0x24, 80, 4);
    put(bytes, 0x11, 0, 2);
    put(bytes, 0x13, 8 + 2 * 80 + 40'000, 2);
    const auto fat32 = fat_layout(bytes);
    REQUIRE(fat32);
    CHECK(fat32->table == Extent{8 * 512 + 8, 40'000});
    put(bytes, 0x28, 0x81, 2); // only the second one is written
    CHECK(fat_layout(bytes)->table == Extent{88 * 512 + 8, 40'000});
    CHECK_FALSE(fat_layout(Bytes{}));
}

TEST_CASE("superblock: entries of clusters that are free or bad are not in use")
{
    Bytes bytes{};
    put(bytes, 0, 0x0fffffff, 4);
    put(bytes, 4, 0x0ffffff7, 4);
    put(bytes, 8, 0xf0000000, 4); // reserved bits
    put(bytes, 12, 5, 4);
    CHECK(used_fat_entries(std::span(bytes).first(20), 4) == 2);
    put(bytes, 0, 0xfff70003, 4);
    put(bytes, 4, 0xffff0000, 4);
    CHECK(used_fat_entries(std::span(bytes).first(8), 2) == 2);
}

TEST_CASE("superblock: an ext counts its free blocks in 64 bits where it has them")
{
    Bytes bytes{};
    put(bytes, 0x04, 1000, 4);
    put(bytes, 0x0c, 900, 4);
    put(bytes, 0x18, 2, 4);
    put(bytes, 0x150, 1, 4);
    CHECK(ext_used_bytes(bytes) == 100 * 4096);
    put(bytes, 0x60, 0x80, 4);
    CHECK(ext_used_bytes(bytes) == ((1ULL << 32) + 100) * 4096);
    put(bytes, 0x158, 1, 4);
    CHECK(ext_used_bytes(bytes) == 100 * 4096);
    put(bytes, 0x0c, 1001, 4); // more than there are
    CHECK(ext_used_bytes(bytes) == 0);
    CHECK_FALSE(ext_has_bigalloc(bytes));
    put(bytes, 0x64, 0x200, 4);
    CHECK(ext_has_bigalloc(bytes));
}

TEST_CASE("superblock: a group of an XFS counts what is free, and spare blocks that are as good as free")
{
    Bytes bytes{};
    const auto put_big = [&](std::size_t offset, std::uint32_t number) {
        for (int i = 0; i < 4; ++i) {
            bytes[offset + static_cast<std::size_t>(i)] = static_cast<std::byte>(number >> (24 - 8 * i));
        }
    };
    put_big(12, 1000);
    put_big(48, 4);
    put_big(52, 900);
    CHECK_FALSE(xfs_group_count(bytes));
    put_big(0, 0x58414746);
    REQUIRE(xfs_group_count(bytes));
    CHECK(xfs_group_count(bytes)->length == 1000);
    CHECK(xfs_group_count(bytes)->used == 96);
    put_big(52, 997);
    CHECK_FALSE(xfs_group_count(bytes));
}

} // namespace ezio

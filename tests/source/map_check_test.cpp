// SPDX-License-Identifier: GPL-2.0-or-later
//
// Real file systems and partclones are in the end-to-end tests; here is what of them is counted, in a file.
#include "source/map_check.hpp"

#include "catch.hpp"
#include "temp_dir.hpp"

#include "ezio/util/units.hpp"

#include <fstream>

namespace ezio {

namespace {

constexpr std::uint64_t at = 1_MiB; // of the file system on the disk

class Disk {
  public:
    Disk() { test::make_sparse_file(m_path, 64_MiB); }

    void put_little(std::uint64_t offset, std::uint64_t number, int bytes)
    {
        std::string text;
        for (int i = 0; i < bytes; ++i) {
            text += static_cast<char>(number >> (8 * i));
        }
        put(offset, text);
    }
    void put_big(std::uint64_t offset, std::uint64_t number, int bytes)
    {
        std::string text;
        for (int i = bytes; i-- > 0;) {
            text += static_cast<char>(number >> (8 * i));
        }
        put(offset, text);
    }

    [[nodiscard]] std::uint64_t missing(const std::string& type, const std::vector<Extent>& used) const
    {
        return bytes_missing(used, open_source_disk(m_path), at, type, [] {});
    }

  private:
    void put(std::uint64_t offset, const std::string& text)
    {
        std::fstream file(m_path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(at + offset));
        file << text;
    }

    test::TempDir m_dir;
    std::string m_path = m_dir / "disk";
};

// Of two groups of 1,000 blocks of 4 KiB, the last of which is shorter.
void make_xfs(Disk& disk)
{
    disk.put_big(4, 4096, 4);
    disk.put_big(8, 1900, 8);
    disk.put_big(84, 1000, 4);
    disk.put_big(88, 2, 4);
    disk.put_big(102, 512, 2);
    for (const std::uint64_t group : {0, 1}) {
        const std::uint64_t header = group * 1000 * 4096 + 512;
        disk.put_big(header, 0x58414746, 4);
        disk.put_big(header + 12, group == 0 ? 1000 : 900, 4);
        disk.put_big(header + 48, 4, 4);
        disk.put_big(header + 52, 800, 4); // free
    }
}

} // namespace

TEST_CASE("map check: an ext has what its superblock counts")
{
    Disk disk;
    disk.put_little(1024 + 0x04, 1000, 4);
    disk.put_little(1024 + 0x0c, 900, 4);
    disk.put_little(1024 + 0x18, 2, 4);
    CHECK(disk.missing("ext4", {{0, 50 * 4096}, {60 * 4096, 50 * 4096}}) == 0);
    CHECK(disk.missing("ext2", {{0, 50 * 4096}, {60 * 4096, 49 * 4096}}) == 4096);
    CHECK(disk.missing("ext3", {{0, 200 * 4096}}) == 0);
}

TEST_CASE("map check: a btrfs has at least what its superblock counts")
{
    Disk disk;
    disk.put_little(65536 + 0x78, 5_MiB, 8);
    CHECK(disk.missing("btrfs", {{0, 6_MiB}}) == 0);
    CHECK(disk.missing("btrfs", {{0, 4_MiB}}) == 1_MiB);
}

TEST_CASE("map check: no group of an XFS makes up for another")
{
    Disk disk;
    make_xfs(disk);
    constexpr std::uint64_t block = 4096;
    CHECK(disk.missing("xfs", {{0, 196 * block}, {1000 * block, 96 * block}}) == 0);
    CHECK(disk.missing("xfs", {{0, 195 * block}, {1000 * block, 97 * block}}) == block);
    CHECK(disk.missing("xfs", {{0, 200 * block}, {1850 * block, 50 * block}}) == 46 * block);
    CHECK(disk.missing("xfs", {{804 * block, 1000 * block}}) == 0); // in both
    CHECK(disk.missing("xfs", {{1800 * block, 100 * block}}) == 196 * block);
}

TEST_CASE("map check: groups of an XFS that are behind its disk, or have no header, count nothing")
{
    Disk disk;
    make_xfs(disk);
    disk.put_big(88, 1'000'000, 4);
    CHECK(disk.missing("xfs", {{0, 2000 * 4096}}) == 0);
}

TEST_CASE("map check: a FAT has the clusters that are in use in it, and what is in front of them")
{
    Disk disk; // 5,000 clusters of 2 KiB
    constexpr std::uint64_t table = 8 * 512;
    constexpr std::uint64_t system = (8 + 2 * 20 + 32) * 512;
    disk.put_little(0x0b, 512, 2);
    disk.put_little(0x0d, 4, 1);
    disk.put_little(0x0e, 8, 2);
    disk.put_little(0x10, 2, 1);
    disk.put_little(0x11, 512, 2);
    disk.put_little(0x13, system / 512 + 20'000, 2);
    disk.put_little(0x16, 20, 2);
    disk.put_little(table, 0xfffffff8, 4); // which are of no cluster
    CHECK(disk.missing("vfat", {{0, system}}) == 0);
    CHECK(disk.missing("vfat", {{0, system - 512}}) == 512);
    disk.put_little(table + 2 * 7, 0xffff, 2);
    disk.put_little(table + 2 * 5001, 0xffff, 2);
    disk.put_little(table + 2 * 5002, 0xffff, 2); // behind the last
    CHECK(disk.missing("vfat", {{0, system + 4096}}) == 0);
    CHECK(disk.missing("vfat", {{0, system}}) == 4096);
}

TEST_CASE("map check: of other file systems nothing is counted")
{
    CHECK(Disk().missing("ntfs", {}) == 0);
    CHECK(Disk().missing("exfat", {}) == 0);
}

} // namespace ezio

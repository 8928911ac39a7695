// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/partition_records.hpp"

#include "catch.hpp"
#include "temp_dir.hpp"

#include "ezio/util/units.hpp"

#include <fstream>

namespace ezio {

namespace {

constexpr std::uint64_t disk_size = 400_MiB;

// A disk, in a file, to write records on.
class Disk {
  public:
    Disk() { test::make_sparse_file(m_path, disk_size); }

    void put(std::uint64_t offset, std::uint64_t number, std::size_t bytes)
    {
        std::fstream file(m_path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(offset));
        for (std::size_t i = 0; i < bytes; ++i) {
            file.put(static_cast<char>(number >> (8 * i)));
        }
    }

    // A record of a logical partition, and that the next one is `next` sectors behind the first.
    void put_record(std::uint64_t offset, std::uint64_t next, std::uint64_t sector = 512)
    {
        put(offset + 510, 0xaa55, 2);
        put(offset + 446 + 4, 0x83, 1);
        if (next != 0) {
            put(offset + 462 + 4, 5, 1);
            put(offset + 462 + 8, next / sector, 4);
        }
    }

    void put_gpt_header(std::uint64_t offset, std::uint64_t other, std::uint64_t entries,
                        std::uint64_t count = 128)
    {
        put(offset, 0x5452415020494645, 8); // "EFI PART"
        put(offset + 32, other, 8);
        put(offset + 72, entries, 8);
        put(offset + 80, count, 4);
        put(offset + 84, 128, 4);
    }

    std::vector<Extent> gpt_records(std::uint64_t sector = 512)
    {
        return partition_records(open_source_disk(m_path), {"gpt", {{1, 1_MiB, 10_MiB, false}}}, sector);
    }

    std::vector<Extent> logical_records(std::uint64_t sector = 512)
    {
        return partition_records(open_source_disk(m_path),
                                 {"dos", {{1, 1_MiB, 10_MiB, false}, {2, 20_MiB, 300_MiB, true}}}, sector);
    }

  private:
    test::TempDir m_dir;
    std::string m_path = m_dir / "disk";
};

} // namespace

TEST_CASE("partition records: those of logical partitions are found wherever they are")
{
    Disk disk;
    disk.put_record(20_MiB, 150_MiB);
    disk.put_record(170_MiB, 40_MiB);
    disk.put_record(60_MiB, 0);
    CHECK(disk.logical_records() == std::vector<Extent>{{20_MiB, 512}, {170_MiB, 512}, {60_MiB, 512}});
}

TEST_CASE("partition records: the chain counts in sectors")
{
    Disk disk;
    disk.put_record(20_MiB, 150_MiB, 4096);
    disk.put_record(170_MiB, 0);
    CHECK(disk.logical_records(4096) == std::vector<Extent>{{20_MiB, 4096}, {170_MiB, 4096}});
}

TEST_CASE("partition records: a chain ends where no record is, where it leaves the partition, or in a circle")
{
    Disk disk;
    CHECK(disk.logical_records().empty());
    disk.put_record(20_MiB, 100_MiB);
    CHECK(disk.logical_records() == std::vector<Extent>{{20_MiB, 512}});
    disk.put_record(120_MiB, 310_MiB);
    CHECK(disk.logical_records().size() == 2);
    disk.put_record(120_MiB, 100_MiB);
    CHECK(disk.logical_records().size() < 1000);
}

TEST_CASE("partition records: the copy of a GPT is found where the disk ended before it grew")
{
    Disk disk;
    disk.put_gpt_header(512, 200_MiB / 512 - 1, 2);
    disk.put_gpt_header(200_MiB - 512, 1, 200_MiB / 512 - 33);
    CHECK(disk.gpt_records() ==
          std::vector<Extent>{
              {512, 512}, {1024, 32 * 512}, {200_MiB - 512, 512}, {200_MiB - 33 * 512, 32 * 512}});
}

TEST_CASE("partition records: the entries of a GPT are found wherever its headers say that they are")
{
    Disk disk;
    disk.put_gpt_header(512, disk_size / 512 - 1, 100'000);
    disk.put_gpt_header(disk_size - 512, 1, 500'000);
    CHECK(disk.gpt_records() ==
          std::vector<Extent>{
              {512, 512}, {100'000 * 512, 32 * 512}, {disk_size - 512, 512}, {500'000 * 512, 32 * 512}});
}

TEST_CASE("partition records: the copy in the last sector is found without the main header, too")
{
    Disk disk;
    disk.put_gpt_header(disk_size - 512, 1, 500'000);
    CHECK(disk.gpt_records() == std::vector<Extent>{{disk_size - 512, 512}, {500'000 * 512, 32 * 512}});
}

TEST_CASE("partition records: a copy of a GPT that is none or behind the disk is left out")
{
    const std::vector<Extent> main{{512, 512}, {1024, 32 * 512}};
    const auto with_copy = [&](std::vector<Extent> copy) {
        copy.insert(copy.begin(), main.begin(), main.end());
        return copy;
    };
    Disk disk;
    CHECK(disk.gpt_records().empty());
    disk.put_gpt_header(512, 200_MiB / 512 - 1, 2);
    CHECK(disk.gpt_records() == main);
    disk.put_gpt_header(200_MiB - 512, 1, disk_size / 512 - 31); // the last of its entries
    CHECK(disk.gpt_records() == with_copy({{200_MiB - 512, 512}}));
    disk.put_gpt_header(200_MiB - 512, 1, 1, 10'000); // more entries than there are anywhere
    CHECK(disk.gpt_records() == with_copy({{200_MiB - 512, 512}}));
    disk.put_gpt_header(512, disk_size / 512, 2);
    CHECK(disk.gpt_records() == main);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Real file systems are in the end-to-end tests; here is a log of 32 blocks that only has what is looked at.
#include "source/xfs_log.hpp"

#include "catch.hpp"
#include "temp_dir.hpp"

#include "ezio/util/units.hpp"

#include <string>

namespace ezio {

using test::TempDir;

namespace {

constexpr std::uint64_t area_at = 1_MiB; // on the disk, as a partition is
constexpr std::uint64_t area_size = 256_KiB;
constexpr std::uint64_t log_at = (16 + 3) * 4_KiB; // group 1, block 3
constexpr std::uint64_t log_blocks = 4;
constexpr std::uint32_t several_headers = 65536; // a record's size that takes two

void put(std::string& bytes, std::size_t offset, std::uint64_t number, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i) {
        bytes[offset + i] = static_cast<char>(number >> (8 * (count - 1 - i)));
    }
}

class Disk {
  public:
    Disk()
    {
        put(m_bytes, area_at + 4, 4_KiB, 4);
        put(m_bytes, area_at + 48, (1 << 4) + 3, 8);
        put(m_bytes, area_at + 84, 16, 4);
        put(m_bytes, area_at + 96, log_blocks, 4);
        put(m_bytes, area_at + 124, 4, 1);
    }

    // A record at the log's block `at`, and the flags of its first operation, which is in the block `body`.
    void record(std::uint64_t at, std::uint64_t number, std::uint32_t operations, std::uint64_t body,
                std::uint8_t flags, std::uint32_t size = 32768)
    {
        const std::size_t header = area_at + log_at + at * 512;
        put(m_bytes, header, 0xfeedbabe, 4);
        put(m_bytes, header + 8, 2, 4);
        put(m_bytes, header + 16, number, 8);
        put(m_bytes, header + 40, operations, 4);
        put(m_bytes, header + 320, size, 4);
        put(m_bytes, area_at + log_at + body * 512 + 9, flags, 1);
    }

    void set(std::size_t offset, std::uint64_t number, std::size_t count)
    {
        put(m_bytes, area_at + offset, number, count);
    }

    [[nodiscard]] bool is_clean() const
    {
        const TempDir dir;
        test::write_file(dir / "disk", m_bytes);
        return xfs_is_clean(open_source_disk(dir / "disk"), area_at, area_size, [] {});
    }

  private:
    std::string m_bytes = std::string(area_at + area_size, '\0');
};

constexpr std::uint8_t unmount = 0x20;

} // namespace

TEST_CASE("xfs log: it is clean when the last record says that it was unmounted")
{
    Disk disk;
    disk.record(0, 1ULL << 32, 1, 1, unmount);
    CHECK(disk.is_clean());
    disk.record(2, (1ULL << 32) + 2, 5, 3, 0);
    CHECK_FALSE(disk.is_clean());
    disk.record(9, (1ULL << 32) + 9, 1, 10, unmount);
    CHECK(disk.is_clean());
}

TEST_CASE("xfs log: the last record is that with the greatest number, wherever in the ring it is")
{
    Disk disk;
    disk.record(20, (7ULL << 32) + 20, 1, 21, unmount);
    disk.record(4, (8ULL << 32) + 4, 3, 5, unmount); // of several operations: none that unmounts
    CHECK_FALSE(disk.is_clean());
    disk.record(4, (6ULL << 32) + 4, 3, 5, 0);
    CHECK(disk.is_clean());
}

TEST_CASE("xfs log: a record has as many headers as its size needs, and goes on at the beginning of the ring")
{
    Disk disk;
    disk.record(4, 1ULL << 32, 1, 6, unmount, several_headers);
    CHECK(disk.is_clean());
    disk.record(31, 2ULL << 32, 1, 0, unmount);
    CHECK(disk.is_clean());
    disk.record(31, 2ULL << 32, 1, 0, 0);
    CHECK_FALSE(disk.is_clean());
}

TEST_CASE("xfs log: one without a record, or outside of the file system, is not clean, one elsewhere is")
{
    CHECK_FALSE(Disk().is_clean());
    Disk disk;
    disk.record(0, 1ULL << 32, 1, 1, unmount);
    disk.set(96, 1000, 4);
    CHECK_FALSE(disk.is_clean());
    disk.set(96, 0, 4);
    CHECK_FALSE(disk.is_clean());
    disk.set(48, 0, 8); // on another device, which partclone refuses
    CHECK(disk.is_clean());
}

TEST_CASE("xfs log: one of no whole blocks is not clean, also where the disk ends with it")
{
    constexpr std::uint64_t length = 700; // in blocks of a byte
    constexpr std::uint64_t log = area_size - length;
    Disk disk;
    disk.set(4, 1, 4);
    disk.set(48, log, 8);
    disk.set(84, area_size, 4);
    disk.set(96, length, 4);
    disk.set(124, 31, 1);
    disk.set(log, 0xfeedbabe, 4); // what it says of itself would be behind the end
    disk.set(log + 16, 1, 8);
    disk.set(log + 40, 1, 4);
    CHECK_FALSE(disk.is_clean());
}

} // namespace ezio

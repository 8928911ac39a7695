// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/disk_contents.hpp"

#include "expect_error.hpp"
#include "temp_dir.hpp"

#include "ezio/util/fd.hpp"
#include "ezio/util/units.hpp"

#include <cstdlib>

#include <fcntl.h>

namespace ezio {

using test::refusal_of;
using test::TempDir;

namespace {

// Puts bytes into an image file at `offset`.
void put(const std::string& path, std::uint64_t offset, const std::string& bytes)
{
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes;
    REQUIRE(file.flush());
}

std::string little_endian(std::uint32_t number)
{
    std::string bytes;
    for (int i = 0; i < 4; ++i) {
        bytes += static_cast<char>(number >> (8 * i) & 0xff);
    }
    return bytes;
}

// An entry of a DOS partition table. Numbers are in sectors of 512 bytes.
std::string entry(char type, std::uint32_t start, std::uint32_t size)
{
    return std::string(4, '\0') + type + std::string(3, '\0') + little_endian(start) + little_endian(size);
}

std::string table(std::string entries)
{
    entries.resize(64, '\0');
    return entries + "\x55\xaa";
}

constexpr std::uint64_t table_offset = 446;
constexpr std::uint64_t size = 16_MiB;

std::string new_image(const TempDir& dir)
{
    test::make_sparse_file(dir / "disk.img", size);
    return dir / "disk.img";
}

void make(const std::string& command, const std::string& path)
{
    REQUIRE(std::system(
                ("PATH=$PATH:/sbin:/usr/sbin; " + command + " " + path + " >/dev/null 2>&1").c_str()) == 0);
}

DiskContents look_at(const std::string& path, std::uint64_t offset = 0, std::uint64_t length = size)
{
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(fd);
    return look_at_contents(fd.get(), path, offset, length);
}

} // namespace

TEST_CASE("disk contents: nothing is known about zeros")
{
    const TempDir dir;
    const auto contents = look_at(new_image(dir));
    CHECK(contents.type.empty());
    CHECK_FALSE(contents.table);
}

TEST_CASE("disk contents: a file system and a swap area are told by their names, wherever they begin")
{
    const TempDir dir;
    const std::string path = new_image(dir);
    make("mkfs.ext4 -q -F", path);
    CHECK(look_at(path).type == "ext4");
    CHECK(look_at(path, 1_MiB, 8_MiB).type.empty());
    make("truncate -s 0", path);
    make("truncate -s 16M", path);
    make("mke2fs -q -F -t ext3 -E offset=4194304", path + " 4M");
    CHECK(look_at(path).type.empty());
    CHECK(look_at(path, 4_MiB, 4_MiB).type == "ext3");
    test::make_sparse_file(dir / "swap.img", size);
    make("mkswap", dir / "swap.img");
    CHECK(look_at(dir / "swap.img").type == "swap");
}

TEST_CASE("disk contents: a table's partitions are found, the logical ones and what they are in too")
{
    const TempDir dir;
    const std::string path = new_image(dir);
    put(path, table_offset, table(entry('\x83', 2048, 4096) + entry('\x05', 8192, 16384)));
    put(path, 8192 * 512 + table_offset, table(entry('\x83', 2048, 1000) + entry('\x05', 4096, 4096)));
    put(path, (8192 + 4096) * 512 + table_offset, table(entry('\x82', 2048, 2048)));
    const auto contents = look_at(path);
    CHECK(contents.type.empty());
    REQUIRE(contents.table);
    CHECK(contents.table->type == "dos");
    constexpr std::uint64_t sector = 512;
    const std::vector<Partition> expected{
        {1, 2048 * sector, 4096 * sector, false, "0x83"},
        {2, 8192 * sector, contents.table->partitions.at(1).size, true, "0x5"},
        {5, 10240 * sector, 1000 * sector, false, "0x83"},
        {6, 14336 * sector, 2048 * sector, false, "0x82"}};
    CHECK(contents.table->partitions == expected);
}

TEST_CASE("disk contents: one of several file systems on the image of a disc is not called stale")
{
    const TempDir dir;
    const std::string path = new_image(dir);
    make("mkfs.ext4 -q -F", path);
    put(path, 32768,
        std::string("\x01"
                    "CD001"
                    "\x01",
                    7));
    const auto refusal = refusal_of([&] { (void)look_at(path); });
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message == path +
                                 " is the image of a disc, with several file systems (ext4, iso9660); take "
                                 "every byte with --all");
}

TEST_CASE("disk contents: signatures of two file systems are refused")
{
    const TempDir dir;
    const std::string path = new_image(dir);
    make("mkfs.ext4 -q -F", path);
    test::make_sparse_file(dir / "xfs.img", 304_MiB);
    make("mkfs.xfs -q", dir / "xfs.img");
    put(path, 0, test::read_file(dir / "xfs.img").substr(0, 512)); // which ext4 leaves free
    const auto refusal = refusal_of([&] { (void)look_at(path); });
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message == path + " has signatures of several file systems, see wipefs -n " + path +
                                 "; erase the stale ones, or take every byte with --all");
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// How directories are opened, filled with new files, and refused. directory_target_test.cpp does the rest.
#include "ezio/target/directory_target.hpp"

#include "bt_directory.hpp"
#include "faults.hpp"
#include "loop_device.hpp"
#include "open_target.hpp"
#include "temp_dir.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/mount.h>

namespace ezio {

using test::contains;
using test::fill_directory;
using test::image_of;
using test::refusal_to_open;
using test::TempDir;
using test::three_extents;

TEST_CASE("directory: new files are made under the torrent's name, sparse and of full length")
{
    const TempDir dir;
    const Image image = image_of({{0, 1'000'000}, {2'000'000, 0}, {3'000'000, 7}});
    (void)open_target(dir.path(), Access::read_write, image);
    CHECK(std::filesystem::file_size(dir / "sda1/" + extent_name(0)) == 1'000'000);
    CHECK(std::filesystem::file_size(dir / "sda1/" + extent_name(3'000'000)) == 7);
    CHECK_FALSE(std::filesystem::exists(dir / "sda1/" + extent_name(2'000'000))); // no bytes, no file
}

TEST_CASE("directory: a new one whose name does not get to the disk is refused")
{
    const TempDir dir;
    const test::FaultyCalls syncs(test::Call::fsync, {{EIO}});
    const auto refusal = refusal_to_open(dir.path(), Access::read_write, three_extents());
    CHECK(refusal.status == ExitStatus::io);
    CHECK(refusal.message == dir.path() + ": sync failed: Input/output error");
}

TEST_CASE("directory: names are those of the torrent, short or in upper case")
{
    const TempDir dir;
    Image image = image_of({{0xab, 4}});
    image.extent_names = {"00000000000000AB"};
    (void)open_target(dir.path(), Access::read_write, image);
    CHECK(std::filesystem::exists(dir / "sda1/00000000000000AB"));
}

TEST_CASE("directory: a missing, short or long file is refused as a source, by name")
{
    const TempDir dir;
    fill_directory(dir.path());
    std::filesystem::resize_file(dir / extent_name(4106), 5);
    auto refusal = refusal_to_open(dir.path(), Access::read_only, three_extents());
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message == (dir / extent_name(4106)) +
                                 " has 5 bytes, the image has 6 there; is the directory that of this "
                                 "image, and complete?");

    std::filesystem::resize_file(dir / extent_name(4106), 7);
    refusal = refusal_to_open(dir.path(), Access::read_only, three_extents());
    CHECK_THAT(refusal.message, contains((dir / extent_name(4106)) + " has 7 bytes, the image has 6 there"));

    std::filesystem::remove(dir / extent_name(4106));
    refusal = refusal_to_open(dir.path(), Access::read_only, three_extents());
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message,
               contains((dir / extent_name(4106)) + ": No such file or directory; is the directory"));

    std::filesystem::create_directory(dir / extent_name(4106));
    refusal = refusal_to_open(dir.path(), Access::read_only, three_extents());
    CHECK_THAT(refusal.message, contains((dir / extent_name(4106)) + " is not a regular file"));
}

TEST_CASE("directory: an empty one is refused as a source and stays empty")
{
    const TempDir dir;
    CHECK(refusal_to_open(dir.path(), Access::read_only, three_extents()).status == ExitStatus::target);
    CHECK(dir.entries() == 0);
}

TEST_CASE("directory: one that may not be written to is refused")
{
    const TempDir dir;
    std::filesystem::permissions(dir.path(), std::filesystem::perms(0555));
    const test::Unprivileged nobody;
    const auto refusal = refusal_to_open(dir.path(), Access::read_write, three_extents());
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("sda1 cannot be created: Permission denied"));
}

TEST_CASE("directory: a file in the place of the torrent's directory is refused")
{
    const TempDir dir;
    test::write_file(dir / "sda1", "");
    CHECK(refusal_to_open(dir.path(), Access::read_write, three_extents()).status == ExitStatus::target);
}

TEST_CASE("directory: files that cannot be made or made long enough are refused")
{
    const TempDir dir;
    std::filesystem::create_directories((dir / "sda1/") + extent_name(4106)); // a directory has that name
    CHECK(refusal_to_open(dir.path(), Access::read_write, three_extents()).status == ExitStatus::target);

    const TempDir other;
    const test::FileSizeLimit limit(9);
    const auto refusal = refusal_to_open(other.path(), Access::read_write, three_extents());
    CHECK(refusal.status == ExitStatus::io);
    CHECK_THAT(refusal.message, contains("resize failed: File too large"));
}

TEST_CASE("directory: extents whose files are one file are refused, and none is touched")
{
    const TempDir dir;
    std::filesystem::create_directory(dir / "sda1");
    const std::string one = dir / "sda1/" + extent_name(4096);
    const std::string other = dir / "sda1/" + extent_name(0);
    test::write_file(one, "1"); // as after a deduplication
    std::filesystem::create_hard_link(one, other);
    const auto refusal = refusal_to_open(dir.path(), Access::read_write, three_extents());
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains(one + " is the same file as " + other));
    CHECK(test::read_file(one) == "1");
    CHECK_FALSE(std::filesystem::exists(dir / "sda1/" + extent_name(4106)));
    std::filesystem::remove(other);
    std::filesystem::create_hard_link(one, dir / "elsewhere"); // which is no part of the image
    CHECK_NOTHROW(open_target(dir.path(), Access::read_write, three_extents()));
}

TEST_CASE("directory: a symbolic link in the place of a file is refused, and nothing is made at its end")
{
    const TempDir dir;
    std::filesystem::create_directory(dir / "sda1");
    const std::string link = dir / "sda1/" + extent_name(4106);
    std::filesystem::create_symlink(dir / "elsewhere", link);
    for (const bool exists : {false, true}) {
        if (exists) {
            test::write_file(dir / "elsewhere", "");
        }
        const auto refusal = refusal_to_open(dir.path(), Access::read_write, three_extents());
        CHECK(refusal.status == ExitStatus::target);
        CHECK_THAT(refusal.message, contains(link + " is a symbolic link"));
        CHECK(std::filesystem::exists(dir / "elsewhere") == exists);
    }
}

TEST_CASE("directory: a file of another file system, which would not be synced, is refused")
{
    const TempDir dir;
    std::filesystem::create_directories(dir / "sda1");
    std::filesystem::create_directories(dir / "other");
    const std::string file = dir / "sda1/" + extent_name(4106);
    test::write_file(file, "");
    const auto mounted = test::mount("none", dir / "other", "tmpfs");
    if (!mounted) {
        return;
    }
    test::write_file(dir / "other/file", "");
    const auto bound = test::mount(dir / "other/file", file, "", MS_BIND);
    if (!bound) {
        return;
    }
    const auto refusal = refusal_to_open(dir.path(), Access::read_write, three_extents());
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains(file + " is on another file system than its directory"));
}

TEST_CASE("directory: a source may have links of both kinds")
{
    const TempDir dir;
    fill_directory(dir.path());
    std::filesystem::rename(dir / extent_name(4106), dir / "elsewhere");
    std::filesystem::create_symlink("elsewhere", dir / extent_name(4106));
    std::filesystem::create_hard_link(dir / extent_name(0), dir / "second");
    CHECK_NOTHROW(open_target(dir.path(), Access::read_only, three_extents()));
}

TEST_CASE("directory: a file that is in use by way of a loop device is refused")
{
    const TempDir dir;
    const Image image = image_of({{0, 1'048'576}, {2'000'000, 7}});
    (void)open_target(dir.path(), Access::read_write, image);
    const auto device = test::attach(dir / "sda1/" + extent_name(0));
    if (!device) {
        return;
    }
    CHECK_NOTHROW(open_target(dir.path(), Access::read_write, image));
    const Fd claim(::open(device->path().c_str(), O_RDONLY | O_EXCL | O_CLOEXEC)); // as a mount does, or swap
    REQUIRE(claim);
    CHECK_THAT(refusal_to_open(dir.path(), Access::read_write, image).message,
               contains("in use through " + device->path()));
}

TEST_CASE("directory: what is mounted in its place has to have the room")
{
    const TempDir dir;
    std::filesystem::create_directories(dir / "sda1");
    const auto mounted = test::mount("none", dir / "sda1", "tmpfs", 0, "size=64k");
    if (!mounted) {
        return;
    }
    CHECK_THAT(refusal_to_open(dir.path(), Access::read_write, image_of({{0, 65'537}})).message,
               contains("free, the image needs"));
}

TEST_CASE("directory: a file system without room is refused before anything is written")
{
    const TempDir dir;
    const auto mounted = test::mount("none", dir.path(), "tmpfs", 0, "size=64k");
    if (!mounted) {
        return;
    }
    const auto refusal = refusal_to_open(dir.path(), Access::read_write, image_of({{0, 65'537}}));
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("free, the image needs 64.0 KiB (65537 bytes)"));
    CHECK(dir.entries() == 0);
}

TEST_CASE("directory: a read-only file system is refused")
{
    const TempDir dir;
    const auto mounted = test::mount("none", dir.path(), "tmpfs", MS_RDONLY);
    if (!mounted) {
        return;
    }
    const auto refusal = refusal_to_open(dir.path(), Access::read_write, three_extents());
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("Read-only file system"));
}

} // namespace ezio

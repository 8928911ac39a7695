// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/directory_target.hpp"

#include "bt_directory.hpp"
#include "faults.hpp"
#include "loop_device.hpp"
#include "open_target.hpp"
#include "temp_dir.hpp"

#include <atomic>
#include <cerrno>
#include <random>
#include <thread>

namespace ezio {

using test::Call;
using test::FaultyCalls;
using test::fill_directory;
using test::read_text;
using test::TempDir;
using test::three_extents;
using test::write_text;

namespace {

// `count` files of one to nine bytes that follow each other on the device from 0 on.
std::vector<DirectoryTarget::File> adjacent_files(const std::string& directory, std::size_t count)
{
    std::vector<DirectoryTarget::File> files;
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < count; ++i) {
        files.push_back({offset, i % 9 + 1, extent_name(offset)});
        test::make_sparse_file(directory + "/" + files.back().name, files.back().length);
        offset += files.back().length;
    }
    return files;
}

std::uint64_t end_of(const std::vector<DirectoryTarget::File>& files)
{
    return files.back().offset + files.back().length;
}

std::string digits(std::size_t count)
{
    std::string text(count, ' ');
    for (std::size_t i = 0; i < count; ++i) {
        text[i] = static_cast<char>('0' + i % 10);
    }
    return text;
}

std::size_t open_files_in(const std::string& directory)
{
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone; // the iterator's own descriptor
        count += std::filesystem::read_symlink(entry, gone).string().starts_with(directory + "/");
    }
    return count;
}

} // namespace

TEST_CASE("directory: the files of partclone, directly in it, are read")
{
    const TempDir dir;
    fill_directory(dir.path());
    const auto target = open_target(dir.path(), Access::read_only, three_extents());
    CHECK(read_text(*target, 4096, 16) == "0123456789abcdef");
    CHECK(read_text(*target, 1, 2) == "yz");
}

TEST_CASE("directory: the files of a BitTorrent client, under the torrent's name, are read")
{
    const TempDir dir;
    fill_directory(dir / "sda1");
    const auto target = open_target(dir.path(), Access::read_only, three_extents());
    CHECK(read_text(*target, 4100, 8) == "456789ab");
}

TEST_CASE("directory: files that are already directly in it are written there")
{
    const TempDir dir;
    fill_directory(dir.path());
    const auto target = open_target(dir.path(), Access::read_write, three_extents());
    CHECK_FALSE(write_text(*target, 4104, "WXYZ"));
    CHECK(test::read_file(dir / extent_name(4096)) == "01234567WX");
    CHECK(test::read_file(dir / extent_name(4106)) == "YZcdef");
    CHECK_FALSE(std::filesystem::exists(dir / "sda1"));
}

TEST_CASE("directory: the files of another image, directly in it, are left alone")
{
    const TempDir dir;
    fill_directory(dir.path());
    test::write_file(dir / extent_name(0), "longer than in this image");
    const auto target = open_target(dir.path(), Access::read_write, three_extents());
    CHECK_FALSE(write_text(*target, 0, "xyz"));
    CHECK(test::read_file(dir / extent_name(0)) == "longer than in this image");
    CHECK(test::read_file(dir / "sda1/" + extent_name(0)) == "xyz");
}

TEST_CASE(
    "directory: a file that is longer than the extent is refused before any is touched, a shorter one is not")
{
    const TempDir dir;
    fill_directory(dir / "sda1");
    test::write_file(dir / "sda1/" + extent_name(4106), "longer");
    test::write_file(dir / "sda1/" + extent_name(4096), "short");
    (void)open_target(dir.path(), Access::read_write, three_extents());
    CHECK(test::read_file(dir / "sda1/" + extent_name(4096)).size() == 10);

    test::write_file(dir / "sda1/" + extent_name(4096), "short");
    test::write_file(dir / "sda1/" + extent_name(4106), "longer than the image");
    const auto refusal =
        test::refusal_of([&] { (void)open_target(dir.path(), Access::read_write, three_extents()); });
    CHECK(refusal.status == ExitStatus::target);
    CHECK(test::read_file(dir / "sda1/" + extent_name(4096)) == "short");
}

TEST_CASE("directory: a write that spans files ends up in each of them, and is synced")
{
    const TempDir dir;
    const auto target = open_target(dir.path(), Access::read_write, three_extents());
    CHECK_FALSE(write_text(*target, 4096, "0123456789abcdef"));
    CHECK_FALSE(write_text(*target, 0, "xyz"));
    CHECK_FALSE(target->write_behind({0, 3}, 3));
    CHECK_FALSE(target->sync());
    CHECK(test::read_file(dir / "sda1/" + extent_name(4096)) == "0123456789");
    CHECK(test::read_file(dir / "sda1/" + extent_name(4106)) == "abcdef");
    CHECK(test::read_file(dir / "sda1/" + extent_name(0)) == "xyz");
}

TEST_CASE("directory: more files than may be open are read and written, and no more are open")
{
    constexpr std::size_t open_limit = 3;
    const TempDir dir;
    const auto files = adjacent_files(dir.path(), 100);
    DirectoryTarget target(dir.path(), Access::read_write, files, open_limit);
    const std::string text = digits(end_of(files));
    REQUIRE_FALSE(write_text(target, 0, text));
    CHECK(open_files_in(dir.path()) <= open_limit);
    CHECK(read_text(target, 0, text.size()) == text);
    CHECK(read_text(target, 17, 100) == text.substr(17, 100));
    CHECK(open_files_in(dir.path()) <= open_limit);
    CHECK_FALSE(target.sync());
}

TEST_CASE("directory: a file that was written is synced before its descriptor makes room for another")
{
    const TempDir dir;
    const auto files = adjacent_files(dir.path(), 3);
    DirectoryTarget target(dir.path(), Access::read_write, files, 1);
    const FaultyCalls syncs(Call::fsync, {{EIO}});
    REQUIRE_FALSE(write_text(target, 0, "1"));
    CHECK(syncs.calls() == 0);
    const auto failure = write_text(target, 1, "2");
    REQUIRE(failure);
    CHECK(failure->operation == IoFailure::Operation::sync);
    CHECK(failure->path == dir / files[0].name);
    CHECK(failure->error == EIO);
}

TEST_CASE("directory: an error that comes only when a file is closed is a failure, too")
{
    const TempDir dir;
    const auto files = adjacent_files(dir.path(), 3);
    DirectoryTarget target(dir.path(), Access::read_write, files, 1);
    REQUIRE_FALSE(write_text(target, 0, "1"));
    const FaultyCalls closes(Call::close, {{EDQUOT}});
    const auto failure = write_text(target, 1, "2");
    REQUIRE(failure);
    CHECK(failure->operation == IoFailure::Operation::sync);
    CHECK(failure->path == dir / files[0].name);
    CHECK(failure->error == EDQUOT);
}

TEST_CASE("directory: a file that was only read is not synced")
{
    const TempDir dir;
    const auto files = adjacent_files(dir.path(), 3);
    DirectoryTarget target(dir.path(), Access::read_only, files, 1);
    const FaultyCalls syncs(Call::fsync, {});
    (void)read_text(target, 0, end_of(files));
    CHECK(syncs.calls() == 0);
}

TEST_CASE("directory: every file that was written, and the directory, is synced in the end, once")
{
    const TempDir dir;
    const auto files = adjacent_files(dir.path(), 3);
    DirectoryTarget target(dir.path(), Access::read_write, files, 10);
    REQUIRE_FALSE(write_text(target, 0, digits(3)));
    const FaultyCalls syncs(Call::fsync, {});
    REQUIRE_FALSE(target.sync());
    CHECK(syncs.calls() == 2 + 1);
    REQUIRE_FALSE(target.sync());
    CHECK(syncs.calls() == 3 + 1);
}

TEST_CASE("directory: a sync before anything is written is one of what is there, of each file")
{
    const TempDir dir;
    const auto files = adjacent_files(dir.path(), 100);
    DirectoryTarget target(dir.path(), Access::read_write, files, 3);
    REQUIRE(read_text(target, 0, 9) != "");
    {
        const FaultyCalls syncs(Call::fsync, {});
        REQUIRE_FALSE(target.sync());
        CHECK(syncs.calls() == 100 + 1);
    }
    const FaultyCalls syncs(Call::fsync, {{0}, {EIO}});
    const auto failure = target.sync();
    REQUIRE(failure);
    CHECK(failure->path == dir / files[1].name);
}

TEST_CASE("directory: a failed sync, of a file or of the directory, is a failure")
{
    const TempDir dir;
    const auto files = adjacent_files(dir.path(), 1);
    DirectoryTarget target(dir.path(), Access::read_write, files, 10);
    REQUIRE_FALSE(write_text(target, 0, "1"));
    {
        const FaultyCalls syncs(Call::fsync, {{EINTR}, {EIO}});
        const auto failure = target.sync();
        REQUIRE(failure);
        CHECK(failure->path == dir / files[0].name);
        CHECK(failure->error == EIO);
    }
    const FaultyCalls syncs(Call::fsync, {{0}, {ENOSPC}});
    const auto failure = target.sync();
    REQUIRE(failure);
    CHECK(failure->path == dir.path());
    CHECK(failure->error == ENOSPC);
}

TEST_CASE("directory: the file system is synced once instead of each file, where that says as much")
{
    const TempDir dir;
    const auto files = adjacent_files(dir.path(), 3);
    DirectoryTarget target(dir.path(), Access::read_write, files, 1, DirectoryTarget::Syncing::file_system);
    const FaultyCalls file_syncs(Call::fsync, {});
    const FaultyCalls syncs(Call::syncfs, {{0}, {EIO}});
    REQUIRE_FALSE(write_text(target, 0, digits(3)));
    CHECK(syncs.calls() == 0);
    REQUIRE_FALSE(target.sync());
    CHECK(syncs.calls() == 1);
    const auto failure = target.sync();
    REQUIRE(failure);
    CHECK(failure->operation == IoFailure::Operation::sync);
    CHECK(failure->path == dir.path());
    CHECK(failure->error == EIO);
    CHECK(file_syncs.calls() == 0);
}

TEST_CASE("directory: a second writer of the same files is refused, other torrents and readers are not")
{
    const TempDir dir;
    const auto first = open_target(dir.path(), Access::read_write, three_extents());
    REQUIRE_FALSE(write_text(*first, 4096, "0123456789"));
    const auto refusal = test::refusal_to_open(dir.path(), Access::read_write, three_extents());
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message == (dir / "sda1") + " is being written by another process");
    CHECK(test::read_file((dir / "sda1/") + extent_name(4096)) == "0123456789");
    Image other = three_extents();
    other.name = "sda2";
    CHECK_NOTHROW(open_target(dir.path(), Access::read_write, other));
    CHECK_NOTHROW(open_target(dir.path(), Access::read_only, three_extents()));
    CHECK_FALSE(write_text(*first, 0, "xyz"));
}

TEST_CASE("directory: a second writer of files that are directly in it is refused, until the first is gone")
{
    const TempDir dir;
    fill_directory(dir.path());
    {
        const auto first = open_target(dir.path(), Access::read_write, three_extents());
        const auto refusal = test::refusal_to_open(dir.path(), Access::read_write, three_extents());
        CHECK(refusal.message == dir.path() + " is being written by another process");
    }
    CHECK_NOTHROW(open_target(dir.path(), Access::read_write, three_extents()));
}

TEST_CASE("directory: what is large in one file is on its way to the disk when it was written")
{
    const TempDir dir;
    const Image image = test::image_of({{0, 512_KiB}, {512_KiB, 100}});
    const auto target = open_target(dir.path(), Access::read_write, image);
    const FaultyCalls calls(Call::sync_file_range, {{0}, {EIO}, {EINVAL}});
    REQUIRE_FALSE(write_text(*target, 0, std::string(256_KiB - 1, 'x')));
    REQUIRE_FALSE(write_text(*target, 512_KiB - 100, std::string(200, 'x'))); // in two files
    CHECK(calls.calls() == 0);
    REQUIRE_FALSE(write_text(*target, 256_KiB, std::string(256_KiB + 100, 'x')));
    CHECK(calls.calls() == 1);
    const auto failure = write_text(*target, 4096, std::string(256_KiB, 'x'));
    REQUIRE(failure);
    CHECK(failure->message() == (dir / "sda1/") + extent_name(0) +
                                    ": write-back of 262144 bytes at offset 4096 failed: Input/output error");
    CHECK_FALSE(write_text(*target, 4096, std::string(256_KiB, 'x'))); // cannot be started early
    CHECK(calls.calls() == 3);
}

TEST_CASE("directory: a failed write and a failed read name the file and the place in it")
{
    const TempDir dir;
    const auto target = open_target(dir.path(), Access::read_write, three_extents());
    {
        const FaultyCalls writes(Call::pwritev, {{0, 100}, {ENOSPC}});
        const auto failure = write_text(*target, 4104, "WXYZ");
        REQUIRE(failure);
        CHECK(failure->message() == (dir / "sda1/") + extent_name(4106) +
                                        ": write of 2 bytes at offset 0 failed: No space left on device");
    }
    std::filesystem::resize_file((dir / "sda1/") + extent_name(4096), 5);
    std::vector<std::byte> data(8);
    const auto failure = target->read_at(4098, data);
    REQUIRE(failure);
    CHECK(failure->message() ==
          (dir / "sda1/") + extent_name(4096) + ": read of 8 bytes at offset 2 failed: end of file");
}

TEST_CASE("directory: a file that disappears before it is opened is a failure")
{
    const TempDir dir;
    const auto target = open_target(dir.path(), Access::read_write, three_extents());
    std::filesystem::remove((dir / "sda1/") + extent_name(0));
    const auto failure = write_text(*target, 0, "x");
    REQUIRE(failure);
    CHECK(failure->operation == IoFailure::Operation::open);
    CHECK(failure->error == ENOENT);
}

TEST_CASE(
    "directory: a file that is removed, replaced or cut short while it is written is a failure in the end")
{
    for (const bool whole_file_system : {true, false}) {
        const TempDir dir;
        const std::string file = dir / "sda1/" + extent_name(4096);
        const auto mounted = whole_file_system ? std::nullopt : test::mount("none", dir.path(), "ramfs");
        const auto target = open_target(dir.path(), Access::read_write, three_extents());
        REQUIRE_FALSE(write_text(*target, 4096, "0123456789abcdef"));
        REQUIRE_FALSE(target->sync());

        std::filesystem::rename(file, dir / "kept");
        auto failure = target->sync();
        REQUIRE(failure);
        CHECK(failure->operation == IoFailure::Operation::sync);
        CHECK(failure->path == file);
        CHECK(failure->error == ESTALE);

        test::write_file(file, "0123456789");
        failure = target->sync();
        REQUIRE(failure);
        CHECK(failure->error == ESTALE);

        std::filesystem::rename(dir / "kept", file);
        CHECK_FALSE(target->sync());

        std::filesystem::resize_file(file, 9);
        failure = target->sync();
        REQUIRE(failure);
        CHECK(failure->operation == IoFailure::Operation::sync);
        CHECK(failure->error == end_of_file);
        std::filesystem::resize_file(file, 10);

        std::filesystem::rename(dir / "sda1", dir / "sda2");
        CHECK(target->sync());
    }
}

TEST_CASE("directory: a file that was replaced before it was opened is not written")
{
    const TempDir dir;
    const auto target = open_target(dir.path(), Access::read_write, three_extents());
    const std::string file = dir / "sda1/" + extent_name(0);
    std::filesystem::rename(file, dir / "kept");
    test::write_file(file, "abc");
    const auto failure = write_text(*target, 0, "x");
    REQUIRE(failure);
    CHECK(failure->operation == IoFailure::Operation::open);
    CHECK(failure->error == ESTALE);
    CHECK(test::read_file(file) == "abc");
}

TEST_CASE("directory: what could not be synced when a file made room is a failure of every later sync")
{
    const TempDir dir;
    const auto files = adjacent_files(dir.path(), 3);
    DirectoryTarget target(dir.path(), Access::read_write, files, 1);
    REQUIRE_FALSE(write_text(target, 0, "1"));
    {
        const FaultyCalls syncs(Call::fsync, {{EIO}});
        REQUIRE(write_text(target, 1, "2")); // whoever that was may be a reader, whom nobody asks
    }
    const auto failure = target.sync();
    REQUIRE(failure);
    CHECK(failure->path == dir / files[0].name);
    CHECK(failure->error == EIO);
}

TEST_CASE("directory: what is in no extent can be neither read nor written, and no file grows")
{
    const TempDir dir;
    const auto target = open_target(dir.path(), Access::read_write, three_extents());
    for (const std::uint64_t offset : {3u, 100u, 4095u, 4111u, 4112u, 1'000'000u}) {
        CAPTURE(offset);
        const auto written = write_text(*target, offset, "!!");
        REQUIRE(written);
        CHECK(written->operation == IoFailure::Operation::write);
        CHECK(written->error == ENXIO);
        std::vector<std::byte> data(2);
        const auto read = target->read_at(offset, data);
        REQUIRE(read);
        CHECK(read->operation == IoFailure::Operation::read);
    }
    CHECK(std::filesystem::file_size((dir / "sda1/") + extent_name(0)) == 3);
    CHECK(std::filesystem::file_size((dir / "sda1/") + extent_name(4106)) == 6);
}

TEST_CASE("directory: several threads use it at once, with few descriptors")
{
    const TempDir dir;
    const auto files = adjacent_files(dir.path(), 12);
    DirectoryTarget target(dir.path(), Access::read_write, files, 2);
    const std::string text = digits(end_of(files));
    REQUIRE_FALSE(write_text(target, 0, text));
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (unsigned seed = 1; seed <= 4; ++seed) {
        threads.emplace_back([&, random = std::mt19937(seed)]() mutable {
            for (int i = 0; i < 50; ++i) {
                const std::size_t offset = random() % text.size();
                const std::size_t length = random() % (text.size() - offset);
                const std::string part = text.substr(offset, length);
                wrong += write_text(target, offset, part).has_value(); // what is there already
                wrong += read_text(target, offset, length) != part;
                wrong += i % 10 == 9 && target.sync().has_value();
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(wrong == 0);
    CHECK(read_text(target, 0, text.size()) == text);
}

} // namespace ezio

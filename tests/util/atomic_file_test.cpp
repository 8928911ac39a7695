// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/atomic_file.hpp"

#include "expect_error.hpp"
#include "faults.hpp"
#include "temp_dir.hpp"

#include <cerrno>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

namespace ezio {

using test::Call;
using test::contains;
using test::FaultyCalls;
using test::refusal_of;
using test::TempDir;

TEST_CASE("atomic write: a new file has the bytes and is readable as the umask says")
{
    const TempDir dir;
    const mode_t before = ::umask(026);
    write_file_atomically(dir / "new", std::string("a\0b", 3));
    (void)::umask(before);
    CHECK(test::read_file(dir / "new") == std::string("a\0b", 3));
    CHECK(std::filesystem::status(dir / "new").permissions() == std::filesystem::perms(0640));
    CHECK(dir.entries() == 1);
}

TEST_CASE("atomic write: an old file is replaced, through a symbolic link too")
{
    const TempDir dir;
    test::write_file(dir / "old", "a long old text");
    std::filesystem::create_symlink("old", dir / "link");
    write_file_atomically(dir / "link", "new");
    CHECK(test::read_file(dir / "old") == "new");
    CHECK(std::filesystem::is_symlink(dir / "link"));
    CHECK(dir.entries() == 2);
}

TEST_CASE("atomic write: a path without a directory is in the current one")
{
    const TempDir dir;
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(dir.path());
    write_file_atomically("here", "text");
    std::filesystem::current_path(before);
    CHECK(test::read_file(dir / "here") == "text");
}

TEST_CASE("atomic write: a name that an interrupted run left behind is passed over")
{
    const TempDir dir;
    const std::string leftover = (dir / "new") + "." + std::to_string(::getpid()) + "-0.tmp";
    test::write_file(leftover, "left");
    write_file_atomically(dir / "new", "text");
    CHECK(test::read_file(dir / "new") == "text");
    CHECK(test::read_file(leftover) == "left");
    CHECK(dir.entries() == 2);
}

TEST_CASE("atomic write: when writing fails the old file stays and nothing is left over")
{
    const TempDir dir;
    test::write_file(dir / "old", "old");
    const std::string bytes(100, 'x');
    for (const std::string& path : {dir / "old", dir / "new"}) {
        const test::FileSizeLimit limit(10);
        const auto refusal = refusal_of([&] { write_file_atomically(path, bytes); });
        CHECK(refusal.status == ExitStatus::io);
        CHECK(refusal.message == path + ": write of 100 bytes at offset 0 failed: File too large");
    }
    CHECK(test::read_file(dir / "old") == "old");
    CHECK(dir.entries() == 1);
}

TEST_CASE("atomic write: when the file cannot be synced the old one stays and nothing is left over")
{
    const TempDir dir;
    test::write_file(dir / "old", "old");
    const FaultyCalls syncs(Call::fsync, {{EIO}});
    const auto refusal = refusal_of([&] { write_file_atomically(dir / "old", "new"); });
    CHECK(refusal.status == ExitStatus::io);
    CHECK(refusal.message == (dir / "old") + ": sync failed: Input/output error");
    CHECK(test::read_file(dir / "old") == "old");
    CHECK(dir.entries() == 1);
}

TEST_CASE("atomic write: when the file cannot be closed the old one stays and nothing is left over")
{
    const TempDir dir;
    test::write_file(dir / "old", "old");
    const FaultyCalls closes(Call::close, {{EDQUOT}});
    const auto refusal = refusal_of([&] { write_file_atomically(dir / "old", "new"); });
    CHECK(refusal.status == ExitStatus::io);
    CHECK(refusal.message == (dir / "old") + ": sync failed: Disk quota exceeded");
    CHECK(test::read_file(dir / "old") == "old");
    CHECK(dir.entries() == 1);
}

TEST_CASE("atomic write: when the directory cannot be synced the caller is told")
{
    const TempDir dir;
    const FaultyCalls syncs(Call::fsync, {{0}, {EIO}});
    const auto refusal = refusal_of([&] { write_file_atomically(dir / "new", "new"); });
    CHECK(refusal.status == ExitStatus::io);
    CHECK(refusal.message == dir.path() + ": sync failed: Input/output error");
}

TEST_CASE("atomic write: a file that cannot be created there is refused")
{
    const TempDir dir;
    auto refusal = refusal_of([&] { write_file_atomically(dir / "no/file", "text"); });
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message == (dir / "no/file") + " cannot be created: No such file or directory");

    std::filesystem::permissions(dir.path(), std::filesystem::perms(0555));
    const test::Unprivileged nobody;
    refusal = refusal_of([&] { write_file_atomically(dir / "new", "text"); });
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("new cannot be created: Permission denied"));
    CHECK(dir.entries() == 0);
}

TEST_CASE("atomic write: what could not be created is refused beforehand, and nothing is left of the attempt")
{
    const TempDir dir;
    refuse_uncreatable_file(dir / "new");
    CHECK(dir.entries() == 0);
    test::write_file(dir / "old", "old");
    refuse_uncreatable_file(dir / "old");
    CHECK(test::read_file(dir / "old") == "old");
    CHECK(dir.entries() == 1);
    CHECK(refusal_of([&] { refuse_uncreatable_file(dir / "no/file"); }).message ==
          (dir / "no/file") + " cannot be created: No such file or directory");
    CHECK(refusal_of([&] { refuse_uncreatable_file("/dev/null"); }).status == ExitStatus::target);
}

TEST_CASE("atomic write: no device, directory or pipe is ever replaced by a file")
{
    const TempDir dir;
    std::filesystem::create_directory(dir / "directory");
    REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
    for (const std::string& path : {dir / "directory", dir / "pipe", std::string("/dev/null")}) {
        const auto refusal = refusal_of([&] { write_file_atomically(path, "text"); });
        CHECK(refusal.status == ExitStatus::target);
        CHECK(refusal.message == path + " exists and is not a regular file; it is left alone");
    }
    CHECK(dir.entries() == 2);
}

} // namespace ezio

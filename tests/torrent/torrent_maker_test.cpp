// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/torrent_maker.hpp"

#include "expect_error.hpp"
#include "faults.hpp"
#include "loop_device.hpp"
#include "temp_dir.hpp"

#include <cerrno>

namespace ezio {

using test::Call;
using test::contains;
using test::FaultyCalls;
using test::refusal_of;
using test::TempDir;

namespace {

// One piece: the simplest torrent there is.
TorrentContents plain()
{
    Sha1Digest hash;
    hash.fill('#');
    return {"sda1", 16 << 20, {{0x100000, 4096}}, {hash}, {}, {}};
}

const std::string creator =
    "10:created by" + std::to_string(sizeof("ezio-cli " EZIO_VERSION) - 1) + ":ezio-cli " EZIO_VERSION;
const std::string plain_info = "4:infod5:filesld6:lengthi4096e4:pathl32:00000000000000000000000000100000eee"
                               "4:name4:sda112:piece lengthi16777216e6:pieces20:####################e";

} // namespace

TEST_CASE("torrent: an extent is named by its offset in 32 hex digits")
{
    CHECK(extent_name(0) == "00000000000000000000000000000000");
    CHECK(extent_name(0x1abc00) == "000000000000000000000000001abc00");
    CHECK(extent_name(~0ULL) == "0000000000000000ffffffffffffffff");
    CHECK(parse_extent_name(extent_name(123456789)) == 123456789);
}

TEST_CASE("torrent: one extent is written as a list of one file, so that it keeps its name")
{
    CHECK(encode_torrent(plain()) == "d" + creator + plain_info + "e");
}

TEST_CASE("torrent: extents and hashes stay in order, and no byte of a hash is special")
{
    TorrentContents contents = plain();
    contents.extents = {{1 << 20, 10}, {0, 16 << 20}};
    contents.hashes.resize(2);
    contents.hashes[1].fill(0); // NUL
    CHECK(encode_torrent(contents) ==
          "d" + creator +
              "4:infod5:filesl"
              "d6:lengthi10e4:pathl32:00000000000000000000000000100000ee"
              "d6:lengthi16777216e4:pathl32:00000000000000000000000000000000ee"
              "e4:name4:sda112:piece lengthi16777216e6:pieces40:####################" +
              std::string(20, '\0') + "ee");
}

TEST_CASE("torrent: what the image was made of is noted beside info, without what is not known")
{
    TorrentContents contents = plain();
    contents.source = DiskIdentity{"ext4", "0a-1b", "", ""};
    CHECK(encode_torrent(contents) ==
          "d" + creator + "15:ezio-cli sourced4:type4:ext44:uuid5:0a-1be" + plain_info + "e");
    contents.source = DiskIdentity{"", "", "gpt", "2c-3d"};
    CHECK(encode_torrent(contents) ==
          "d" + creator + "15:ezio-cli sourced5:table3:gpt10:table uuid5:2c-3de" + plain_info + "e");
    contents.source = DiskIdentity{};
    CHECK(encode_torrent(contents) == "d" + creator + plain_info + "e");
}

TEST_CASE("torrent: one tracker is announced without a list")
{
    TorrentContents contents = plain();
    contents.trackers = {"http://a/announce"};
    CHECK(encode_torrent(contents) == "d8:announce17:http://a/announce" + creator + plain_info + "e");
}

TEST_CASE("torrent: several trackers are each a tier, the first one first, the comment after them")
{
    TorrentContents contents = plain();
    contents.trackers = {"http://a/announce", "udp://b:1/"};
    contents.comment = "Lab 3, für alle"; // lengths are in bytes
    CHECK(encode_torrent(contents) == "d8:announce17:http://a/announce"
                                      "13:announce-listll17:http://a/announceel10:udp://b:1/ee"
                                      "7:comment16:Lab 3, für alle" +
                                          creator + plain_info + "e");
}

TEST_CASE("torrent: the same contents give the same bytes, however often and when")
{
    CHECK(encode_torrent(plain()) == encode_torrent(plain()));
    CHECK_THAT(encode_torrent(plain()), !contains("creation date"));
}

TEST_CASE("torrent: extents of a directory keep the names that their files have there")
{
    TorrentContents contents = plain();
    contents.names = {"00000000000ABCDE"};
    CHECK_THAT(encode_torrent(contents), contains("4:pathl16:00000000000ABCDEee"));
}

TEST_CASE("torrent: the time of creation is there when it is asked for, outside of what is hashed")
{
    TorrentContents contents = plain();
    contents.creation_date = 1'700'000'000;
    CHECK(encode_torrent(contents) == "d" + creator + "13:creation datei1700000000e" + plain_info + "e");
}

TEST_CASE("torrent: the sectors that a partition table counts in are a part of what is hashed")
{
    TorrentContents contents = plain();
    contents.sector_bytes = 512;
    contents.ssl_ca = "PEM"; // the keys are sorted
    const std::string info =
        plain_info.substr(0, plain_info.size() - 1) + "11:sector sizei512e8:ssl-cert3:PEMe";
    CHECK(encode_torrent(contents) == "d" + creator + info + "e");
}

TEST_CASE("torrent: the CA's certificate is a part of what is hashed")
{
    TorrentContents contents = plain();
    contents.ssl_ca = "PEM";
    const std::string info = plain_info.substr(0, plain_info.size() - 1) + "8:ssl-cert3:PEMe";
    CHECK(encode_torrent(contents) == "d" + creator + info + "e");
}

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

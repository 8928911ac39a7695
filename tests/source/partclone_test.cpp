// SPDX-License-Identifier: GPL-2.0-or-later
//
// The program itself is in the end-to-end tests; here stand scripts in its place, which fail in all the ways.
#include "ezio/source/partclone.hpp"

#include "expect_error.hpp"
#include "temp_dir.hpp"

#include "ezio/util/units.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include <sys/stat.h>

namespace ezio {

using test::refusal_of;
using test::TempDir;

namespace {

const std::string good_map = "# map\n0x3000 ?\n0x0000 0x1000 +\n0x1000 0x1000 +\n0x2000 0x1000 ?\n";

// Puts a program for each of these file systems first in PATH.
class FakePartclone {
  public:
    explicit FakePartclone(const std::string& script)
    {
        for (const char* name : {"partclone.ext4", "partclone.btrfs"}) {
            test::write_file(m_dir / name, "#!/bin/sh\n" + script);
            if (::chmod((m_dir / name).c_str(), 0755) != 0 ||
                ::setenv("PATH", (m_dir.path() + ":" + m_before).c_str(), 1) != 0) {
                throw std::runtime_error("no program");
            }
        }
    }
    FakePartclone(const FakePartclone&) = delete;
    FakePartclone& operator=(const FakePartclone&) = delete;
    ~FakePartclone() { (void)::setenv("PATH", m_before.c_str(), 1); }

  private:
    TempDir m_dir;
    std::string m_before = std::getenv("PATH");
};

std::string printing(const std::string& map)
{
    return "cat <<'end'\n" + map + "end\n";
}

std::vector<Extent> used(const std::string& script, bool force = false, bool mounted = false,
                         const char* type = "ext4")
{
    const FakePartclone partclone(script);
    return carried_blocks(used_blocks({"/dev/sda1", -1, 0x4000, type, force, mounted, 1_MiB}, [] {}));
}

void check_refused(const std::string& script, const std::string& why)
{
    const auto refusal = refusal_of([&] { (void)used(script); });
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message == "the used blocks of /dev/sda1 (ext4) cannot be found: " + why);
}

} // namespace

TEST_CASE("partclone: there is a program for the file systems that it knows, and none for the rest")
{
    CHECK(partclone_program("ext4") == "partclone.ext4");
    CHECK(partclone_program("vfat") == "partclone.vfat");
    CHECK(partclone_program("hfs") == "partclone.hfsplus");
    for (const char* type : {"", "swap", "crypto_LUKS", "LVM2_member", "iso9660", "../sh", "ext"}) {
        CHECK(partclone_program(type).empty());
    }
}

TEST_CASE("partclone: the used blocks are those of its map, merged, and the last 4 KiB in any case")
{
    CHECK(used(printing(good_map)) == std::vector<Extent>{{0, 0x3000}});
    CHECK(used(printing("0x4000 ?\n0 0x1000 +\n0x1000 0x3000 ?\n")) ==
          std::vector<Extent>{{0, 0x1000}, {0x3000, 0x1000}});
    CHECK(used(printing("0x3800 ?\n0 0x1000 +\n0x1000 0x2800 ?\n")) ==
          std::vector<Extent>{{0, 0x1000}, {0x2800, 0x1000}});
    CHECK(used(printing("0x800 ?\n0 0x400 +\n0x400 0x400 ?\n")) == std::vector<Extent>{{0, 0x800}});
}

TEST_CASE("partclone: it is asked for a map on standard output, and forced when told so, mounted, or an ext")
{
    const std::string script =
        "test \"$*\" = \"-q -D -f 0 -L /dev/null -o - -s /proc/self/fd/3FORCE\" || exit 9\n" +
        printing(good_map);
    auto without = script;
    CHECK(used(without.replace(without.find("FORCE"), 5, ""), false, false, "btrfs").size() == 1);
    auto with = script;
    with.replace(with.find("FORCE"), 5, " -F");
    CHECK(used(with, true, false, "btrfs").size() == 1);
    CHECK(used(with, false, true, "btrfs").size() == 1);
    CHECK(used(with).size() == 1);
}

TEST_CASE("partclone: what it says when it fails is told, without its chatter")
{
    check_refused(
        "cat >&2 <<'end'\nPartclone v0.3.23 http://partclone.org\nStarting to map device (/dev/sda1)\n"
        "extfsclone.c: FS was not cleanly unmounted\nPartclone fail, please check /dev/null !\nend\nexit 1",
        "partclone.ext4 ended with status 1: extfsclone.c: FS was not cleanly unmounted; have it checked, or "
        "take every byte with --all");
    check_refused("echo '/proc/self/fd/3 has an external log.' >&2; exit 1",
                  "partclone.ext4 ended with status 1: /dev/sda1 has an external log.; have it checked, or "
                  "take every byte with --all");
    check_refused("kill -SEGV $$",
                  "partclone.ext4 ended with status 139; have it checked, or take every byte with --all");
}

TEST_CASE("partclone: status 0 is not believed without a map")
{
    check_refused("exit 0", "the map of partclone.ext4:1: the map is empty");
    check_refused("echo 'open failed' >&2; echo Usage",
                  "the map of partclone.ext4:1: this is not a status line (POS STATUS [PASS]); is it a map "
                  "of ddrescue or partclone -D?; it said: open failed");
}

TEST_CASE("partclone: what it complains of and goes on is refused unless it was forced by the user")
{
    const std::string script = printing(good_map) +
                               "cat >&2 <<'end'\ndevice (/dev/sda1) is mounted at /mnt\nerror exit\n"
                               "Calculating bitmap... Please wait... extfsclone.c: bitmap free count err\n"
                               "done!\nend\n";
    const auto refusal = refusal_of([&] { (void)used(script, false, true); });
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message == "the used blocks of /dev/sda1 (ext4) cannot be found: partclone.ext4 says: "
                             "extfsclone.c: bitmap free count err; have it checked, or use --force");
    CHECK_FALSE(used(script, true).empty());
    CHECK_FALSE(used(script, true, true).empty());
}

TEST_CASE("partclone: that it is mounted is no complaint")
{
    CHECK(
        complaint_in("device (/dev/sda1.c: is) is mounted at /mnt\nerror exit\ndone!\nFile system:  EXTFS\n")
            .empty());
    CHECK(complaint_in("/build/src/f2fsclone.c: f2fs_dev_is_umounted\n").empty());
    CHECK(complaint_in("extfsclone.c: FS has been mounted 30 times without being checked\n").empty());
    CHECK_FALSE(complaint_in("WARN: volume was not unmounted cleanly.\n").empty());
    CHECK(complaint_in("done!\nbtrfsclone.c(335): BUG\nERROR: x") == "btrfsclone.c(335): BUG");
    CHECK(complaint_in("Invalid number of items in btrfs node 1") ==
          "Invalid number of items in btrfs node 1");
    CHECK(complaint_in("get_fs, 69, ERROR: clusters count error") ==
          "get_fs, 69, ERROR: clusters count error");
}

TEST_CASE("partclone: a map that ends early, has a gap, nothing used, or too much is not believed")
{
    const std::string not_complete = "partclone.ext4 wrote a map that is not complete";
    check_refused(printing("0x3000 ?\n0 0x1000 +\n"), not_complete);
    check_refused(printing("0x3000 ?\n0 0x1000 +\n0x2000 0x1000 +\n"), not_complete);
    check_refused(printing("0x3000 ?\n0x1000 0x2000 +\n"), not_complete);
    check_refused(printing("0x3000 ?\n0 0x3000 ?\n"), "partclone.ext4 wrote a map that has no used blocks");
    check_refused(
        printing("0x5000 ?\n0 0x5000 +\n"),
        "partclone.ext4 wrote a map that ends at 20480 bytes, beyond the device, which has 16384 bytes");
}

TEST_CASE(
    "partclone: when a program is not installed that Debian has not either, it is not said to get it there")
{
    const auto refusal = refusal_of([] {
        (void)used_blocks({"/dev/sda1", -1, 0x4000, "nilfs2", false, false, 1_MiB}, [] {});
    });
    CHECK(refusal.status == ExitStatus::target);
    CHECK(refusal.message ==
          "the used blocks of /dev/sda1 (nilfs2) cannot be found: partclone.nilfs2 is not installed, and "
          "Debian's partclone does not include it; take every byte with --all");
}

TEST_CASE("partclone: a program is lacking where others are there, or where Debian has none")
{
    const auto with = [](const std::vector<std::string>& installed) {
        return [installed](const std::string& name) {
            return std::find(installed.begin(), installed.end(), name) != installed.end();
        };
    };
    CHECK_FALSE(lacks_program_for("xfs", with({})));
    CHECK(lacks_program_for("nilfs2", with({})));
    CHECK_FALSE(lacks_program_for("ext4", with({"partclone.ext4"})));
    CHECK(lacks_program_for("xfs", with({"partclone.ext4"})));
    CHECK(lacks_program_for("nilfs2", with({"partclone.ext4"})));
    CHECK_FALSE(lacks_program_for("nilfs2", with({"partclone.ext4", "partclone.nilfs2"})));
}

TEST_CASE("partclone: its version is what it says, and unknown where it does not")
{
    const auto version = [](const std::string& script) {
        const FakePartclone partclone(script);
        return partclone_version("ext4", [] {});
    };
    CHECK(version("test \"$*\" = -v && echo 'Partclone : v0.3.23 (cff71700a8c9) '") == "0.3.23");
    CHECK(version("echo 'Partclone : v1.0' >&2") == "1.0");
    CHECK(version("echo usage; exit 1") == "unknown");
}

TEST_CASE("partclone: versions from 0.3.40 on count the blocks of XFS in 64 bits")
{
    CHECK(counts_in_64_bits("0.3.40"));
    CHECK(counts_in_64_bits("0.4.0"));
    CHECK(counts_in_64_bits("1.0.0"));
    for (const char* version : {"0.3.39", "0.3.5", "0.2.99", "0.3", "unknown", ""}) {
        CHECK_FALSE(counts_in_64_bits(version));
    }
}

TEST_CASE("partclone: of what it prints the last lines of text are the reason")
{
    CHECK(reason_in("").empty());
    CHECK(reason_in("one\ntwo\n\n  three\r\nfour").find("two; three; four") == 0);
    CHECK(reason_in("\x1b[A  1 %\rreal reason\n") == "real reason");
    CHECK(reason_in("Calculating bitmap... Please wait... real reason\n") == "real reason");
    CHECK(reason_in("Elapsed: 00:00:01, Remaining: 00:01:39, Completed:   1.00%real reason\n") ==
          "real reason");
    CHECK(reason_in("real reasonPartclone fail, please check /dev/null !") == "real reason");
    CHECK(reason_in("Elapsed: 00:00:01, Remaining: 00:00:00, Completed: 100.00%, Rate:   1.0GB/min,\n")
              .empty());
    CHECK(reason_in("current block:          1, total block:        100, Complete:   1.00%real reason") ==
          "real reason");
    CHECK(complaint_in("Elapsed: 00:00:01, Remaining: 00:01:39, Completed:   1.00%extfsclone.c: bad\n") ==
          "extfsclone.c: bad");
}

} // namespace ezio

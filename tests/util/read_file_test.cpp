// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/read_file.hpp"

#include "expect_error.hpp"
#include "faults.hpp"
#include "loop_device.hpp"
#include "temp_dir.hpp"

#include "ezio/util/units.hpp"

#include <thread>

namespace ezio {

using test::refusal_of;
using test::TempDir;

namespace {

void check_refused(const std::string& path, std::uint64_t limit, const std::string& reason)
{
    const auto refusal = refusal_of([&] { (void)read_file(path, limit); });
    CHECK(refusal.status == ExitStatus::torrent);
    CHECK(refusal.message == path + " cannot be read: " + reason);
}

} // namespace

TEST_CASE("read file: all bytes are there, NUL and line ends too")
{
    const TempDir dir;
    for (const std::string& text :
         {std::string(), std::string("a\r\n\0b\xff", 6), std::string(1_MiB - 1, 'a'), std::string(1_MiB, 'b'),
          std::string(3_MiB + 7, 'c')}) {
        test::write_file(dir / "file", text);
        CHECK((read_file(dir / "file", 16_MiB) == text)); // compared inside: nobody wants 3 MiB in a report
    }
}

TEST_CASE("read file: a file may be as large as the limit, not larger")
{
    const TempDir dir;
    test::write_file(dir / "file", std::string(2000, 'x'));
    CHECK(read_file(dir / "file", 2000).size() == 2000);
    check_refused(dir / "file", 1999, "it is larger than the limit of 2.0 KiB");
}

TEST_CASE("read file: a pipe is read to its end, and not beyond the limit")
{
    const TempDir dir;
    REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
    const auto feed = [&] { test::write_file(dir / "pipe", std::string(3000, 'x')); };
    std::thread first(feed);
    CHECK(read_file(dir / "pipe", 3000).size() == 3000);
    first.join();
    std::thread second(feed);
    check_refused(dir / "pipe", 2999, "it is larger than the limit of 2.9 KiB");
    second.join();
}

TEST_CASE("read file: what has no end is given up at the limit")
{
    check_refused("/dev/zero", 5_MiB, "it is larger than the limit of 5.0 MiB");
}

TEST_CASE("read file: a block device is refused as what it is, whatever its size")
{
    const TempDir dir;
    test::make_sparse_file(dir / "disk", 1_MiB);
    if (const auto device = test::attach(dir / "disk")) {
        check_refused(device->path(), 16_MiB, "it is a block device, not a file");
    }
}

TEST_CASE("read file: what cannot be read is refused with the reason")
{
    const TempDir dir;
    test::write_file(dir / "secret", "text");
    std::filesystem::permissions(dir / "secret", std::filesystem::perms::none);
    const test::Unprivileged nobody;
    check_refused(dir / "missing", 1_MiB, "No such file or directory");
    check_refused(dir / "secret/file", 1_MiB, "Not a directory");
    check_refused(dir.path(), 1_MiB, "Is a directory");
    check_refused(dir / "secret", 1_MiB, "Permission denied");
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/target.hpp"

#include "fake_target.hpp"
#include "loop_device.hpp"
#include "open_target.hpp"
#include "temp_dir.hpp"

#include "ezio/target/device_identity.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace ezio {

using test::contains;
using test::refusal_of;
using test::refusal_to_open;
using test::small_image;
using test::TempDir;

namespace {

// The first disk of this machine that has a serial number; empty when there is none.
std::string disk_with_identity()
{
    for (const auto& entry : std::filesystem::directory_iterator("/sys/block")) {
        const std::string path = "/dev/" + entry.path().filename().string();
        struct stat status {};
        if (::stat(path.c_str(), &status) == 0 && S_ISBLK(status.st_mode) &&
            !device_identities(status.st_rdev).empty()) {
            return path;
        }
    }
    return {};
}

} // namespace

TEST_CASE("target: a missing path under /dev is refused and not created, however it is spelled")
{
    const TempDir dir;
    std::filesystem::create_symlink("/dev", dir / "link");
    for (const std::string& path :
         {std::string("/dev/ezio-no-such-disk"), std::string("//dev//ezio-no-such-disk"),
          std::string("/tmp/../dev/ezio-no-such-disk"), dir / "link/ezio-no-such-disk"}) {
        CAPTURE(path);
        const auto refusal = refusal_to_open(path, Access::read_write);
        CHECK(refusal.status == ExitStatus::target);
        CHECK_THAT(refusal.message, contains("is the disk there"));
        CHECK_FALSE(std::filesystem::exists("/dev/ezio-no-such-disk"));
    }
}

TEST_CASE("target: a missing directory under /dev, and a file that somebody has made there, are no disks")
{
    CHECK_THAT(refusal_to_open("/dev/ezio-no-such/disk", Access::read_write).message,
               contains("is the disk there"));
    if (!test::is_root()) {
        return;
    }
    const std::string path = "/dev/ezio-test-" + std::to_string(::getpid());
    test::make_sparse_file(path, 1_MiB); // "cat image > /dev/sdq"
    const auto refusal = refusal_to_open(path, Access::read_write);
    CHECK(std::filesystem::remove(path));
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("is a regular file among the devices"));
}

TEST_CASE("target: what is mounted below /dev is a place like any other, a devtmpfs elsewhere is not")
{
    struct stat dev {};
    struct stat shm {};
    if (::stat("/dev", &dev) == 0 && ::stat("/dev/shm", &shm) == 0 && dev.st_dev != shm.st_dev) {
        const std::string path = "/dev/shm/ezio-test-" + std::to_string(::getpid());
        CHECK_NOTHROW(open_target(path, Access::read_write, small_image()));
        CHECK_NOTHROW(open_target(path, Access::read_write, small_image())); // not a new one
        CHECK(std::filesystem::remove(path));
    }
    // In no TempDir, which is removed with all that is in it.
    const std::string place = "/tmp/ezio-test-dev-" + std::to_string(::getpid());
    REQUIRE(::mkdir(place.c_str(), 0700) == 0);
    {
        const auto mounted = test::mount("none", place, "devtmpfs"); // the one that is at /dev, too
        if (mounted) {
            CHECK_THAT(refusal_to_open(place + "/ezio-no-such-disk", Access::read_write).message,
                       contains("is the disk there"));
            CHECK_THAT(refusal_to_open(place, Access::read_write).message,
                       contains("is the directory of devices"));
        }
    }
    CHECK(::rmdir(place.c_str()) == 0);
}

TEST_CASE("target: what is no device, file or directory is refused")
{
    for (const char* path : {"/dev/null", "/dev/full"}) {
        const auto refusal = refusal_to_open(path, Access::read_write);
        CHECK(refusal.status == ExitStatus::target);
        CHECK_THAT(refusal.message, contains("neither a block device nor a regular file nor a directory"));
    }
}

TEST_CASE("target: a disk that has another serial number is refused, and its own named")
{
    const std::string disk = disk_with_identity();
    if (disk.empty()) {
        WARN("skipped: needs a disk with a serial number");
        return;
    }
    const auto refusal =
        refusal_of([&] { (void)open_target(disk, Access::read_only, small_image(), "no-disk-has-this"); });
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("--serial no-disk-has-this: " + disk + " is another disk: "));
}

TEST_CASE("target: what is no disk has no serial number")
{
    const TempDir dir;
    const auto refusal =
        refusal_of([&] { (void)open_target(dir / "file", Access::read_write, small_image(), "S3Z8NB0K"); });
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("is not a block device"));
    CHECK_FALSE(std::filesystem::exists(dir / "file"));
}

TEST_CASE("target: the directory of devices is refused, as '/dev/$DISK' without a disk would be")
{
    for (const char* path : {"/dev", "/dev/", "/dev/."}) {
        const auto refusal = refusal_to_open(path, Access::read_write);
        CHECK(refusal.status == ExitStatus::target);
        CHECK_THAT(refusal.message, contains("is the directory of devices"));
    }
}

TEST_CASE("target: a call is out as long as it has not returned")
{
    test::FakeTarget target(4096);
    DiskCalls calls;
    calls.set_disk("/dev/sda");
    target.watch(calls);
    CHECK(calls.unanswered().empty());
    target.read_gate.close();
    std::thread reader([&] {
        std::array<std::byte, 512> bytes{};
        (void)target.read_at(0, std::span(bytes));
    });
    const bool waits = target.read_gate.wait_for_waiting(1);
    CHECK(waits);
    CHECK(calls.unanswered() == "/dev/sda");
    CHECK(calls.unanswered(std::chrono::hours(1)).empty());
    target.read_gate.open();
    reader.join();
    CHECK(calls.unanswered().empty());
}

TEST_CASE("target: calls and failures are passed on, watched or not")
{
    using Operation = IoFailure::Operation;
    test::FakeTarget target(4096);
    DiskCalls disk_calls;
    if (GENERATE(false, true)) {
        target.watch(disk_calls);
    }
    target.fail(Operation::write, 1, ENOSPC);
    std::array<std::byte, 512> bytes{};
    const auto failed = target.write_at(1024, std::span(std::as_const(bytes)));
    REQUIRE(failed);
    CHECK(failed->error == ENOSPC);
    CHECK(failed->offset == 1024);
    CHECK_FALSE(target.write_behind({0, 512}, 512));
    CHECK_FALSE(target.sync());
    target.drop_cache();
    CHECK(target.calls(Operation::write_back).size() == 1);
    CHECK(target.calls(Operation::sync).size() == 1);
    CHECK(target.cache_drops() == 1);
    CHECK(disk_calls.unanswered().empty());
}

} // namespace ezio

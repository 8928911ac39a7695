// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target.hpp"

#include "open_target.hpp"
#include "temp_dir.hpp"

namespace ezio {

using test::contains;
using test::refusal_to_open;
using test::TempDir;

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

TEST_CASE("target: what is no device, file or directory is refused")
{
    for (const char* path : {"/dev/null", "/dev/full"}) {
        const auto refusal = refusal_to_open(path, Access::read_write);
        CHECK(refusal.status == ExitStatus::target);
        CHECK_THAT(refusal.message, contains("neither a block device nor a regular file nor a directory"));
    }
}

TEST_CASE("target: the directory of devices is refused, as '/dev/$DISK' without a disk would be")
{
    for (const char* path : {"/dev", "/dev/", "/dev/."}) {
        const auto refusal = refusal_to_open(path, Access::read_write);
        CHECK(refusal.status == ExitStatus::target);
        CHECK_THAT(refusal.message, contains("is the directory of devices"));
    }
}

} // namespace ezio

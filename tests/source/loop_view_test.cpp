// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/loop_view.hpp"

#include "catch.hpp"
#include "expect_error.hpp"
#include "loop_device.hpp"
#include "temp_dir.hpp"

#include "ezio/target/block_device.hpp"
#include "ezio/util/units.hpp"

#include <array>

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace ezio {

using test::TempDir;

TEST_CASE("loop view: a part of a file, read-only, locked, and gone in the end")
{
    const TempDir dir;
    test::make_sparse_file(dir / "disk", 3_MiB);
    if (!test::attach(dir / "disk")) {
        return; // it has said why
    }
    const Fd fd(::open((dir / "disk").c_str(), O_RDWR));
    REQUIRE(::pwrite(fd.get(), "here", 4, 1 << 20) == 4);
    std::string path;
    {
        const LoopView view = show_read_only(fd.get(), {1_MiB, 512_KiB}, "a part");
        path = view.path;
        CHECK(device_size(view.fd, path) == 512_KiB);
        std::array<char, 4> bytes{};
        REQUIRE(::pread(view.fd.get(), bytes.data(), bytes.size(), 0) == 4);
        CHECK(std::string(bytes.begin(), bytes.end()) == "here");
        loop_info64 info{};
        REQUIRE(::ioctl(view.fd.get(), LOOP_GET_STATUS64, &info) == 0);
        CHECK((info.lo_flags & (LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR)) ==
              (LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR));
        const Fd other(::open(path.c_str(), O_RDONLY));
        CHECK(::flock(other.get(), LOCK_SH | LOCK_NB) != 0); // as udev tries
    }
    const Fd later(::open(path.c_str(), O_RDONLY));
    loop_info64 info{};
    CHECK((!later || ::ioctl(later.get(), LOOP_GET_STATUS64, &info) != 0 || info.lo_offset != 1_MiB));
}

TEST_CASE("loop view: what cannot be shown")
{
    const TempDir dir;
    if (!test::is_root()) {
        return;
    }
    const Fd directory(::open(dir.path().c_str(), O_RDONLY));
    const auto refusal = test::refusal_of([&] { (void)show_read_only(directory.get(), {0, 1_MiB}, "sda3"); });
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, test::contains("no loop device can be made for sda3"));
}

} // namespace ezio

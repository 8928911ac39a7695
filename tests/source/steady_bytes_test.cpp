// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/steady_bytes.hpp"

#include "catch.hpp"
#include "expect_error.hpp"
#include "temp_dir.hpp"

#include "ezio/util/fd.hpp"
#include "ezio/util/units.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace ezio {

using test::contains;
using test::refusal_of;
using test::TempDir;

TEST_CASE("steady bytes: a change is refused, and one elsewhere is none")
{
    const TempDir dir;
    const std::string path = dir / "disk";
    test::make_sparse_file(path, 3_MiB);
    const Fd fd(::open(path.c_str(), O_RDWR));
    const std::vector noted{note_bytes(fd.get(), path, {512, 2_MiB}, "the metadata of LVM2 on /dev/sda3")};
    CHECK_NOTHROW(refuse_changed(fd.get(), path, noted));
    for (const off_t elsewhere : {off_t{511}, off_t{512 + (2 << 20)}}) {
        REQUIRE(::pwrite(fd.get(), "x", 1, elsewhere) == 1);
        CHECK_NOTHROW(refuse_changed(fd.get(), path, noted));
    }
    REQUIRE(::pwrite(fd.get(), "x", 1, 2 << 20) == 1);
    const auto refusal = refusal_of([&] { refuse_changed(fd.get(), path, noted); });
    CHECK(refusal.status == ExitStatus::target);
    CHECK_THAT(refusal.message, contains("the metadata of LVM2 on /dev/sda3 changed"));
}

TEST_CASE("steady bytes: what cannot be read is an error of I/O")
{
    const TempDir dir;
    test::make_sparse_file(dir / "disk", 1_MiB);
    const Fd fd(::open((dir / "disk").c_str(), O_RDONLY));
    const auto refusal = refusal_of([&] { (void)note_bytes(fd.get(), "disk", {0, 2_MiB}, "it"); });
    CHECK(refusal.status == ExitStatus::io);
}

} // namespace ezio

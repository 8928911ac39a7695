// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/device_tree.hpp"

#include "catch.hpp"
#include "loop_device.hpp"
#include "temp_dir.hpp"

#include "ezio/util/units.hpp"

#include <sys/sysmacros.h>

namespace ezio {

using test::TempDir;

namespace {

dev_t number_of(const std::string& path)
{
    const auto id = file_id(path);
    REQUIRE(id);
    REQUIRE(id->is_device);
    return id->device;
}

} // namespace

TEST_CASE("device tree: device numbers are read, and nothing else")
{
    CHECK(parse_device("8:1") == makedev(8, 1));
    CHECK(parse_device("259:12\n") == makedev(259, 12));
    for (const char* text : {"", "8", "8:", ":1", "sda", "8-1"}) {
        CHECK(parse_device(text) == 0);
    }
}

TEST_CASE("device tree: what has no partitions, is none and lies on nothing has an empty tree")
{
    const dev_t none = makedev(4095, 77);
    CHECK(partition_devices(none).empty());
    CHECK(disk_of(none) == 0);
    CHECK(holders_of(none).empty());
    CHECK(stack_below(none).layers.empty());
    CHECK(stack_below(none).own == std::set<dev_t>{none});
}

TEST_CASE("device tree: below loop devices there are others, and a file in the end")
{
    const TempDir dir;
    test::make_sparse_file(dir / "disk.img", 16_MiB);
    const auto lower = test::attach(dir / "disk.img");
    const auto upper = lower ? test::attach(lower->path()) : std::nullopt;
    if (!upper) {
        return;
    }
    const DeviceStack stack = stack_below(number_of(upper->path()));
    REQUIRE(stack.layers.size() == 2);
    CHECK(stack.layers[0].loop.path == upper->path());
    CHECK(stack.layers[0].loop.below == file_id_of_device(number_of(lower->path())));
    CHECK(stack.layers[1].loop.path == lower->path());
    CHECK(stack.layers[1].loop.below == file_id(dir / "disk.img"));
    CHECK(stack.layers[1].loop.below_path == dir / "disk.img");
    CHECK(stack.layers[1].range == Extent{0, 16_MiB});
    CHECK_FALSE(stack.layers[1].shared);
    CHECK(stack.own == std::set<dev_t>{number_of(upper->path()), number_of(lower->path())});
}

TEST_CASE("device tree: loop devices are found by the file, whatever it is called now")
{
    const TempDir dir;
    test::make_sparse_file(dir / "disk.img", 1_MiB);
    const auto device = test::attach(dir / "disk.img");
    if (!device) {
        return;
    }
    std::filesystem::create_hard_link(dir / "disk.img", dir / "second");
    std::filesystem::remove(dir / "disk.img");
    test::make_sparse_file(dir / "disk.img", 1_MiB);
    const auto id = file_id(dir / "second");
    REQUIRE(id);
    const auto loops = loop_devices_on(*id);
    REQUIRE(loops.size() == 1);
    CHECK(loops[0].path == device->path());
    CHECK(loop_devices_on(*id, {5_MiB, 1}).size() == 1); // it may grow
    CHECK(loop_devices_on(file_id(dir / "disk.img").value()).empty());
}

} // namespace ezio

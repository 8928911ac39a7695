// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/partition_rescan.hpp"

#include "catch.hpp"
#include "loop_device.hpp"
#include "temp_dir.hpp"

#include "ezio/target/device_use.hpp"
#include "ezio/util/units.hpp"

#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>

namespace ezio {

using test::TempDir;

namespace {

using Kind = PartitionRequest::Kind;
using Partitions = std::vector<ListedPartition>;

const ListedPartition first{1, {1_MiB, 4_MiB}, false};
const ListedPartition second{2, {6_MiB, 4_MiB}, false};

// A loop device, open as a target is.
struct Disk {
    static std::optional<Disk> make(const std::string& file)
    {
        const Fd backing(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        std::filesystem::resize_file(file, 16_MiB);
        auto loop = test::attach(file);
        if (!loop) {
            return std::nullopt;
        }
        Fd fd(::open(loop->path().c_str(), O_RDWR | O_EXCL | O_CLOEXEC));
        struct stat status {};
        REQUIRE(fd);
        REQUIRE(::fstat(fd.get(), &status) == 0);
        return Disk{std::move(*loop), std::move(fd), status.st_rdev};
    }

    [[nodiscard]] std::vector<int> numbers() const
    {
        std::vector<int> result;
        for (const PartitionDevice& each : partition_devices(device)) {
            result.push_back(each.number);
        }
        return result;
    }

    test::LoopDevice loop;
    Fd fd;
    dev_t device;
};

} // namespace

TEST_CASE("partition rescan: what is the same stays, the rest goes before what is new comes")
{
    CHECK(partition_changes(Partitions{first, second}, Partitions{first, second}).empty());
    CHECK(partition_changes(Partitions{}, Partitions{}).empty());
    const ListedPartition moved{2, {7_MiB, 4_MiB}, false};
    const ListedPartition grown{1, {1_MiB, 5_MiB}, false};
    CHECK(partition_changes(Partitions{first, second}, Partitions{first, moved}) ==
          std::vector<PartitionRequest>{{Kind::remove, second}, {Kind::add, moved}});
    CHECK(partition_changes(Partitions{first}, Partitions{grown}) ==
          std::vector<PartitionRequest>{{Kind::remove, first}, {Kind::add, grown}});
    CHECK(partition_changes(Partitions{first, second}, Partitions{}) ==
          std::vector<PartitionRequest>{{Kind::remove, first}, {Kind::remove, second}});
}

TEST_CASE("partition rescan: of an extended partition only the place counts, and little is added of it")
{
    const ListedPartition container{2, {6_MiB, 4_MiB}, true};
    const ListedPartition kernels{2, {6_MiB, 1_KiB}, false};
    CHECK(partition_changes(Partitions{kernels}, Partitions{container}).empty());
    CHECK(partition_changes(Partitions{}, Partitions{container}) ==
          std::vector<PartitionRequest>{{Kind::add, {2, {6_MiB, 1_KiB}, true}}});
}

TEST_CASE("partition rescan: a loop device without partitions gets none")
{
    const TempDir directory;
    const auto disk = Disk::make(directory / "disk");
    if (!disk) {
        return;
    }
    PartitionRescan rescan(disk->fd.get(), disk->device, disk->loop.path());
    CHECK_FALSE(rescan.bring_up_to_date(Partitions{first, second}));
    CHECK(disk->numbers().empty());
}

TEST_CASE("partition rescan: who makes it without a disk, of a file or a partition, gets none")
{
    const TempDir directory;
    const Fd file(::open((directory / "file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    CHECK_FALSE(make_partition_rescan(file.get(), directory / "file"));
}

} // namespace ezio

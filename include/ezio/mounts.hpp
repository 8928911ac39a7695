// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which block devices are part of which, and where they are mounted: what the kernel says in /proc and /sys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace ezio {

// A line of /proc/self/mountinfo.
struct Mounted {
    dev_t device = 0;   // btrfs has a number of its own here, and the device as the source
    std::string source; // "/dev/sda1"
    std::string point;
    bool read_only = false; // the file system, not only this mount of it
    bool operator==(const Mounted&) const = default;
};

// Lines of another form are left out.
[[nodiscard]] std::vector<Mounted> parse_mountinfo(std::string_view text);

// Where a device is in use.
struct DeviceUse {
    std::string device; // "/dev/sda1": the device itself, a partition of it, or what was built upon either
    std::string point;
    bool read_only = false;
};

// That the disk `path` is used there, and what to do.
[[nodiscard]] std::string describe_use(const std::string& path, const DeviceUse& use);

// All mounts of the block device, of its partitions, and of what is upon them (LVM, RAID, encryption, loop
// devices).
[[nodiscard]] std::vector<DeviceUse> uses_of(dev_t device);

// The same for a regular file that is the backing file of loop devices.
[[nodiscard]] std::vector<DeviceUse> uses_of_file(const std::string& path);

// Throws Error (ExitStatus::target) when the target `path`, of which `uses` is known, is in use by way of a
// loop device. One that is only attached is no reason: nobody has part of it in memory.
void refuse_used_loop(const std::string& path, const std::vector<DeviceUse>& uses);

// A loop device upon the file or block device `path`, upon a partition of it or the disk that it is one of,
// or in turn upon such a loop device, that somebody has claimed: a mount in whatever namespace, swap, RAID,
// LVM, another writer. Empty where there is none, or none that may be opened.
[[nodiscard]] std::string claimed_loop_device(const std::string& path);

struct PartitionDevice {
    std::string path; // "/dev/sda1"
    dev_t device = 0;
    std::uint64_t start = 0; // bytes from the start of the disk
    std::uint64_t size = 0;  // bytes
    int number = 0;          // in the table
};

// Whether it is a partition, and no disk of its own.
[[nodiscard]] bool is_partition(dev_t device);

// The partitions of a disk that the kernel has devices for.
[[nodiscard]] std::vector<PartitionDevice> partition_devices(dev_t disk);

} // namespace ezio

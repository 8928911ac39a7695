// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which block devices are part of which, and what they lie on: partitions, loop devices, and what the device
// mapper and RAID make of others. From sysfs, and from the loop driver itself.
//
// The kernel keeps a partition and its disk, or a RAID and its members, from being used twice. It does not
// know that a loop device is a file: any number of loop devices may be upon the same one, each may be mounted
// or written, and so may the file. Who writes to a loop device therefore has to look below it (stack_below),
// and from there up at the others (loop_devices).
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/util/file_id.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

namespace ezio {

// "8:1"; 0 when it is none.
[[nodiscard]] dev_t parse_device(const std::string& text);

// The kernel's name of a block device, "/dev/sda1".
[[nodiscard]] std::string device_path(dev_t device);

// The same of a name in sysfs, where the kernel writes a '/' as '!'.
[[nodiscard]] std::string path_of_device(std::string name);

struct PartitionDevice {
    std::string path; // "/dev/sda1"
    dev_t device = 0;
    std::uint64_t start = 0; // bytes from the start of the disk
    std::uint64_t size = 0;  // bytes
    int number = 0;          // in the table
};

// The partitions of a disk that the kernel has devices for.
[[nodiscard]] std::vector<PartitionDevice> partition_devices(dev_t disk);

// The disk that a partition is on; 0 for what is no partition.
[[nodiscard]] dev_t disk_of(dev_t partition);

// What the device mapper and RAID have made of it.
[[nodiscard]] std::vector<dev_t> holders_of(dev_t device);

struct LoopDevice {
    std::string path; // "/dev/loop0"
    dev_t device = 0;
    std::optional<FileId> below; // the file or block device that it shows; empty: not to be found out
    std::string below_path;      // what the kernel calls that: it may lead nowhere, or elsewhere (chroot)
    Extent range{};              // of `below`; length largest_offset: to its end, wherever that will be
};

// Those that are attached to something.
[[nodiscard]] std::vector<LoopDevice> loop_devices();

// Those upon a file or block device that show any of its bytes in `range`.
[[nodiscard]] std::vector<LoopDevice> loop_devices_on(const FileId& below, const Extent& range);
[[nodiscard]] std::vector<LoopDevice> loop_devices_on(const FileId& below); // in all of it

// What a loop device lies on.
struct Layer {
    LoopDevice loop;     // which shows it
    Extent range;        // of loop.below, that the device takes
    bool shared = false; // the device mapper or RAID is between: others may have other parts of `range`
};

struct DeviceStack {
    std::vector<Layer> layers; // from the top down
    std::set<dev_t> own;       // the device itself, its disk, and all other devices that were passed
};

[[nodiscard]] DeviceStack stack_below(dev_t device);

} // namespace ezio

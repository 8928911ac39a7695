// SPDX-License-Identifier: GPL-2.0-or-later
//
// The relations of block devices: partitions and disks, loop devices and their files, and devices that the
// device mapper and RAID make of others. From sysfs, and from the loop driver.
//
// The kernel prevents conflicting use of a partition and its disk, or of a RAID and its members. It does not
// do so for loop devices: several can show the same file, each can be mounted or written, and so can the
// file. A writer to a loop device therefore has to check what is below it (stack_below), and from there the
// other loop devices (loop_devices).
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

// The directories with the kernel's and udev's information about devices; tests use others.
struct DeviceDirectories {
    std::string sysfs = "/sys";
    std::string udev = "/run/udev";
};

// The directory of a block device in sysfs.
[[nodiscard]] std::string sysfs_of(dev_t device, const DeviceDirectories& directories = {});

// Parses "8:1"; 0 if malformed.
[[nodiscard]] dev_t parse_device(const std::string& text);

// The kernel's name of a block device, such as "/dev/sda1".
[[nodiscard]] std::string device_path(dev_t device);

// The same for a name from sysfs, where the kernel writes '!' for '/'.
[[nodiscard]] std::string path_of_device(std::string name);

struct PartitionDevice {
    std::string path; // "/dev/sda1"
    dev_t device = 0;
    std::uint64_t start = 0; // bytes from the start of the disk
    std::uint64_t size = 0;  // bytes
    int number = 0;          // in the table
};

// The partitions of a disk for which the kernel has devices.
[[nodiscard]] std::vector<PartitionDevice> partition_devices(dev_t disk);

// The disk of a partition; 0 if it is not a partition.
[[nodiscard]] dev_t disk_of(dev_t partition);

// The devices that the device mapper and RAID have made of it.
[[nodiscard]] std::vector<dev_t> holders_of(dev_t device);

struct LoopDevice {
    std::string path; // "/dev/loop0"
    dev_t device = 0;
    std::optional<FileId> below; // the file or block device that it shows; empty: unknown
    std::string below_path;      // the kernel's name for that: may not exist here, or differ (chroot)
    Extent range{};              // of `below`; length largest_offset: to its end, wherever that is
};

// All attached loop devices.
[[nodiscard]] std::vector<LoopDevice> loop_devices();

// The loop devices that show any byte in `range` of the file or block device.
[[nodiscard]] std::vector<LoopDevice> loop_devices_on(const FileId& below, const Extent& range);
[[nodiscard]] std::vector<LoopDevice> loop_devices_on(const FileId& below); // any byte at all

// One level below a loop device.
struct Layer {
    LoopDevice loop;     // the loop device
    Extent range;        // the part of loop.below that it uses
    bool shared = false; // device mapper or RAID in between: others may use other parts of `range`
};

struct DeviceStack {
    std::vector<Layer> layers; // from the top down
    std::set<dev_t> own;       // the device itself, its disk, and all devices passed on the way down
};

[[nodiscard]] DeviceStack stack_below(dev_t device);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds where block devices are mounted or otherwise claimed: from /proc and /sys, and by opening devices
// exclusively.
#pragma once

#include "ezio/target/device_tree.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace ezio {

// A line of /proc/self/mountinfo.
struct Mounted {
    dev_t device = 0;   // btrfs has its own number here, and the device as the source
    std::string source; // "/dev/sda1"
    std::string point;
    bool read_only = false; // the file system is, not only this mount
    bool operator==(const Mounted&) const = default;
};

// Malformed lines are skipped.
[[nodiscard]] std::vector<Mounted> parse_mountinfo(std::string_view text);

// Whether the file system with this number (st_dev) is a devtmpfs, in which the kernel makes device nodes.
[[nodiscard]] bool is_devtmpfs(dev_t device);

// A place where a device is in use.
struct DeviceUse {
    std::string device; // "/dev/sda1": the device itself, a partition of it, or a device on top of either
    std::string point;
    bool read_only = false;
};

// A sentence that the disk `path` is in use there, with a remedy.
[[nodiscard]] std::string describe_use(const std::string& path, const DeviceUse& use);

// All mounts of the block device, of its partitions, and of devices on top of them (LVM, RAID, encryption,
// loop devices). If it is a loop device, also those of all other devices on the same file or device.
[[nodiscard]] std::vector<DeviceUse> uses_of(dev_t device);

// The same for a regular file: mounts of loop devices on it, and mounts without loop device (FUSE, EROFS).
[[nodiscard]] std::vector<DeviceUse> uses_of_file(const std::string& path);

// Whether the device or file is in use as swap.
[[nodiscard]] bool is_swap(const FileId& id);

// Throws Error (ExitStatus::target) when the target `path`, whose `uses` are given, is in use through a loop
// device. A loop device that is only attached does not count: no part of it is cached.
void refuse_used_loop(const std::string& path, const std::vector<DeviceUse>& uses);

// A claimed loop device on the file or block device `path`, on a partition of it or on its disk, or on top of
// such a loop device. Claimed means a mount in any namespace, swap, RAID, LVM, or another writer. Empty if
// there is none, or none that may be opened.
[[nodiscard]] std::string claimed_loop_device(const std::string& path);

// The same for what is below a loop device. Devices in `own`, and those outside `range`, do not count.
[[nodiscard]] std::string claimed_loop_device(const FileId& below, const Extent& range,
                                              const std::set<dev_t>& own);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where block devices are mounted, and who else has claimed them: what the kernel says in /proc and /sys, and
// to who opens a device exclusively.
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
    dev_t device = 0;   // btrfs has a number of its own here, and the device as the source
    std::string source; // "/dev/sda1"
    std::string point;
    bool read_only = false; // the file system, not only this mount of it
    bool operator==(const Mounted&) const = default;
};

// Lines of another form are left out.
[[nodiscard]] std::vector<Mounted> parse_mountinfo(std::string_view text);

// Whether the file system with this number (st_dev) is one that the kernel makes device nodes in.
[[nodiscard]] bool is_devtmpfs(dev_t device);

// Where a device is in use.
struct DeviceUse {
    std::string device; // "/dev/sda1": the device itself, a partition of it, or what was built upon either
    std::string point;
    bool read_only = false;
};

// That the disk `path` is used there, and what to do.
[[nodiscard]] std::string describe_use(const std::string& path, const DeviceUse& use);

// All mounts of the block device, of its partitions, of what is upon them (LVM, RAID, encryption, loop
// devices), and of what else is upon the file or device that it lies on itself, where it is a loop device.
[[nodiscard]] std::vector<DeviceUse> uses_of(dev_t device);

// The same for a regular file: of the loop devices upon it, and of what has mounted it without (FUSE, EROFS).
[[nodiscard]] std::vector<DeviceUse> uses_of_file(const std::string& path);

// Whether the device or file is in use as swap.
[[nodiscard]] bool is_swap(const FileId& id);

// Throws Error (ExitStatus::target) when the target `path`, of which `uses` is known, is in use by way of a
// loop device. One that is only attached is no reason: nobody has part of it in memory.
void refuse_used_loop(const std::string& path, const std::vector<DeviceUse>& uses);

// A loop device upon the file or block device `path`, upon a partition of it or the disk that it is one of,
// or in turn upon such a loop device, that somebody has claimed: a mount in whatever namespace, swap, RAID,
// LVM, another writer. Empty where there is none, or none that may be opened.
[[nodiscard]] std::string claimed_loop_device(const std::string& path);

// The same for what a loop device lies on: those in `own` do not count, nor those that show none of `range`.
[[nodiscard]] std::string claimed_loop_device(const FileId& below, const Extent& range,
                                              const std::set<dev_t>& own);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// The device or image file that an image is made of.
#pragma once

#include "disk_contents.hpp"
#include "ezio/target/device_use.hpp"
#include "ezio/util/fd.hpp"
#include "superblock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

namespace ezio {

struct SourceDisk {
    std::string path;
    Fd fd; // read-only
    std::uint64_t size = 0;
    bool is_device = false; // otherwise a regular file
    dev_t device = 0;       // its number, if it is a device
    std::vector<DeviceUse> uses;

    [[nodiscard]] bool is_mounted() const { return !uses.empty(); }
};

// Opens it. Throws Error (ExitStatus::target): it cannot be opened, is empty, or is neither a device nor a
// regular file.
[[nodiscard]] SourceDisk open_source_disk(const std::string& path);

// Throws Error (ExitStatus::target) naming the mount point when it, or a part of it, is mounted for writing,
// and so would change while it is read.
void refuse_changing(const SourceDisk& disk);

// Whether the kernel has devices for its partitions, or for others on top of it, such as logical volumes.
[[nodiscard]] bool has_devices_upon(const SourceDisk& disk);

// Writes out the cached data of the devices on top of the disk and drops the disk's own cache. Needed where
// that cache can be stale: after writes through these devices, or when a file system was mounted meanwhile.
void refresh_cache(const SourceDisk& disk);

// Reads `bytes` at `offset`. Throws Error (ExitStatus::io).
void read_source(const SourceDisk& disk, std::uint64_t offset, std::span<std::byte> bytes);
void read_source(int fd, const std::string& path, std::uint64_t offset, std::span<std::byte> bytes);

// The superblock_bytes bytes at `offset`. Throws Error (ExitStatus::io).
[[nodiscard]] std::array<std::byte, superblock_bytes> read_superblock(const SourceDisk& disk,
                                                                      std::uint64_t offset);

// The parts of an image file that are not holes, and always its last bytes, so that a copy has the same
// length.
// Throws Error (ExitStatus::io).
[[nodiscard]] std::vector<Extent> data_extents(const SourceDisk& disk);

} // namespace ezio

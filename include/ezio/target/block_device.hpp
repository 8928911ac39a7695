// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's information about a block device.
#pragma once

#include "ezio/target/device_tree.hpp"
#include "ezio/util/fd.hpp"

#include <cstdint>
#include <string>

#include <sys/types.h>

namespace ezio {

// The size in bytes of the open device. `path` is for messages. Throws Error (ExitStatus::io).
[[nodiscard]] std::uint64_t device_size(const Fd& fd, const std::string& path);

// The size in bytes of its logical sectors, as above.
[[nodiscard]] std::uint64_t sector_size(const Fd& fd, const std::string& path);

// Whether sysfs calls the disk behind a block device number, or the disk of a partition, rotational.
// False if it says nothing.
[[nodiscard]] bool is_rotational(dev_t device);

// Whether it calls the same disk host-managed zoned: one that takes writes only in sequence, zone by zone.
// False if it says nothing.
[[nodiscard]] bool is_host_managed(dev_t device, const DeviceDirectories& directories = {});

} // namespace ezio

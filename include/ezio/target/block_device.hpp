// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the kernel says of a block device.
#pragma once

#include "ezio/util/fd.hpp"

#include <cstdint>
#include <string>

#include <sys/types.h>

namespace ezio {

// The size in bytes of the open device. `path` is for messages. Throws Error (ExitStatus::io).
[[nodiscard]] std::uint64_t device_size(const Fd& fd, const std::string& path);

// The size in bytes of its (logical) sectors, as above.
[[nodiscard]] std::uint64_t sector_size(const Fd& fd, const std::string& path);

// Whether the disk behind a block device number is said to be a rotating one: what sysfs says of it, or of
// the disk that it is a partition of. False when it says nothing.
[[nodiscard]] bool is_rotational(dev_t device);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which disk a block device is, for --serial: device names change from one start of a machine to the next.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace ezio {

// Where the kernel and udev tell of devices; other places in tests.
struct DeviceDirectories {
    std::string sysfs = "/sys";
    std::string udev = "/run/udev";
};

// The serial numbers and world wide names of the disk that `device` is, or is a partition of, as the kernel
// and udev know them. Empty when nobody knows any.
[[nodiscard]] std::vector<std::string> device_identities(dev_t device,
                                                         const DeviceDirectories& directories = {});

// Whether `wanted` is one of them. Upper and lower case are the same, a prefix as in naa.5000, eui.0025 or
// 0x5000 may be left out, and so may blanks at the ends.
[[nodiscard]] bool is_identity(const std::string& wanted, const std::vector<std::string>& identities);

} // namespace ezio

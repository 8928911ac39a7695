// SPDX-License-Identifier: GPL-2.0-or-later
//
// Identifies the disk behind a block device, for --serial: device names change from one boot to the next.
#pragma once

#include "ezio/target/device_tree.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

namespace ezio {

// The serial numbers and world wide names of the disk that `device` is, or is a partition of, from the kernel
// and udev. Empty if none is known.
[[nodiscard]] std::vector<std::string> device_identities(dev_t device,
                                                         const DeviceDirectories& directories = {});

// Whether `wanted` is one of them. Case is ignored, and so are surrounding blanks and a prefix as in
// naa.5000, eui.0025 or 0x5000.
[[nodiscard]] bool is_identity(const std::string& wanted, const std::vector<std::string>& identities);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

namespace ezio {

// Whether the disk behind a block device number is said to be a rotating one: what sysfs says of it, or of
// the disk that it is a partition of. False when it says nothing.
[[nodiscard]] bool is_rotational(dev_t device);

} // namespace ezio

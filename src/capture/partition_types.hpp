// SPDX-License-Identifier: GPL-2.0-or-later
//
// Partition types with more than one file system: volumes or slices whose table is inside the partition, or
// at the end of the disk. A file system at the start of such a partition does not show how the rest is used.
#pragma once

#include <string_view>

namespace ezio {

// The contents of a partition of this type (as in Partition::type), for messages: "a Windows dynamic disk".
// Empty if it may contain a single file system.
[[nodiscard]] std::string_view several_volumes_in(std::string_view type);

} // namespace ezio

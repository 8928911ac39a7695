// SPDX-License-Identifier: GPL-2.0-or-later
//
// Types of partitions that hold more than one file system: with volumes or slices whose table is inside of
// the partition, or at the end of the disk. The file system that begins such a partition, if one does, does
// not tell what the rest of it is used for.
#pragma once

#include <string_view>

namespace ezio {

// What a partition of this type (as in Partition::type) holds, for messages: "a Windows dynamic disk". Empty:
// it may hold one file system.
[[nodiscard]] std::string_view several_volumes_in(std::string_view type);

} // namespace ezio

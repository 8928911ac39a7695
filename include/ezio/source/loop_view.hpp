// SPDX-License-Identifier: GPL-2.0-or-later
//
// A part of a device or file as a block device, for programs that cannot read parts: a read-only loop device
// that disappears with its last descriptor. It is locked, so that udev ignores it. Otherwise udev would look
// for file systems on it and let LVM2 activate what is there.
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/util/fd.hpp"

#include <string>

#include <sys/types.h>

namespace ezio {

struct LoopView {
    Fd fd;
    std::string path; // "/dev/loop3"
    dev_t device = 0;
};

// Maps `range`, in whole sectors of 512 bytes, of the open device or file `fd`. `what` names it in messages.
// Throws Error (ExitStatus::target) when there are no loop devices, or no permission to make one.
[[nodiscard]] LoopView show_read_only(int fd, const Extent& range, const std::string& what);

} // namespace ezio

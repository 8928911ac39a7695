// SPDX-License-Identifier: GPL-2.0-or-later
//
// A part of a device or file as a block device of its own, for programs that know no parts: a loop device
// that is read-only and goes away with its last descriptor. udev leaves it alone as long as it is locked: it
// would look for file systems on it otherwise, and have LVM2 activate what is there.
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

// Shows `range`, in whole sectors of 512 bytes, of the open device or file `fd`. `what` is that part, for
// messages. Throws Error (ExitStatus::target) where there are no loop devices, or one may not make them.
[[nodiscard]] LoopView show_read_only(int fd, const Extent& range, const std::string& what);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Keeps other writers away from a target: locks on files, exclusive opens of devices. All of these end with
// their descriptors, and so with the process.
//
// A file is locked as a whole, in two ways: by flock(2), and by a lock on its bytes (fcntl(2), F_OFD_SETLK),
// which a virtual machine also holds on its disk (QEMU). A device is opened with O_EXCL, which the kernel
// refuses if it, its disk or a partition of it is mounted or claimed. For a loop device this does not cover
// the file below, so the layers below are claimed in addition:
//
//     the file         a shared flock, and a lock on the bytes that the device shows. Refuses another fetch
//                      to the file, or to a loop device with some of the same bytes, but not to another
//                      partition of the same loop device.
//     a device         O_EXCL, and the layers below it in turn.
//     the siblings     other loop devices on it that show some of the same bytes must not be claimed.
//
// A loop device that is only attached is no reason to refuse: the kernel drops its cache of it when it is
// closed. In doubt the target is refused: a sibling that is claimed in part (one of its partitions is
// mounted), or through another loop device, counts as claimed as a whole. If the device mapper or RAID is in
// between, it has claimed its members itself, and divides them among several devices; the lock on the file's
// bytes is then a shared one.
//
// The file is opened by the kernel's name for it, and used only if it is the file that the loop driver
// reports by number: the name may not exist here, or be another file (in another mount namespace or a
// container). In that case the siblings are checked all the same. A fetch to one of them, or to the file by a
// process that sees both, is refused or refuses us, but a process elsewhere that has begun to write the file
// stays undetected. This is reported as a doubt, and is no reason to refuse, because a container often has
// nothing but the device. A deleted file cannot get a new writer, so there is no doubt.
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/util/fd.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

namespace ezio {

// Locks the open file or directory named `path` for this process (flock) until its descriptor is closed.
// Throws Error (ExitStatus::target) when another process writes it. Returns 0, or errno if locks are not
// supported.
[[nodiscard]] int refuse_second_writer(const Fd& fd, const std::string& path);

// Locks all bytes of a file that is open for writing, as above. Does nothing on a file system without such
// locks.
void lock_bytes(const Fd& fd, const std::string& path);

struct Claims {
    std::vector<Fd> held; // until the target is closed
    std::string doubt;    // see Target::doubt
};

// Claims the layers below a block device that this process has opened with O_EXCL. `path` is for messages.
// Throws Error (ExitStatus::target) when another process uses them.
[[nodiscard]] Claims claim_below(const std::string& path, dev_t device);

} // namespace ezio

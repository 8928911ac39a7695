// SPDX-License-Identifier: GPL-2.0-or-later
//
// Keeps other writers away from a target: locks on files, exclusive opens of devices. All of them end with
// their descriptors, and so with the process, however it ends.
//
// A file is locked as a whole, twice: by flock(2), and by a lock on its bytes (fcntl(2), F_OFD_SETLK), which
// a virtual machine has on its disk as well (QEMU). A device is opened with O_EXCL, which the kernel refuses
// where it, its disk or a partition of it is mounted or claimed; that of a loop device says nothing of the
// file below, so that is claimed in addition:
//
//   the file         a shared flock, and a lock on the bytes that the device shows. Another fetch to the file
//                    is refused; so is one to a loop device with some of the same bytes; one to another
//                    partition of the same loop device is not.
//   a device         O_EXCL, and what that lies on in turn.
//   the siblings     other loop devices upon it that show some of the same bytes must be claimed by nobody.
//
// A loop device that is only attached is no reason to refuse: the kernel forgets what it has read of it when
// it is closed. In doubt it is refused: of a sibling that is claimed in part (one of its partitions is
// mounted), or by way of another loop device, all counts as claimed. Where the device mapper or RAID is
// between, it has claimed its members itself, and gives their parts to several; the lock on the file's bytes
// is then a shared one.
//
// The file is found by the name that the kernel has for it, and taken only if it is the one that the loop
// driver knows by number: the name may lead nowhere, or to another file (another mount namespace, a
// container). Then the siblings are looked at all the same, and a fetch to one of them, or to the file by a
// process that sees both, is refused or refuses us; but a process elsewhere that has begun to write the file
// goes unseen. That is a doubt to tell of and no reason to refuse: a container is commonly given nothing but
// the device. Of a file that was deleted nobody can begin to write, so there is no doubt.
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/util/fd.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

namespace ezio {

// Takes the open file or directory, which `path` names, for this process (flock) until its descriptor is
// closed. Throws Error (ExitStatus::target) when another process writes it. Returns 0, or errno where there
// are no locks.
[[nodiscard]] int refuse_second_writer(const Fd& fd, const std::string& path);

// Takes all bytes of a file that is open for writing, as above. Where the file system has no such locks,
// there is none.
void lock_bytes(const Fd& fd, const std::string& path);

struct Claims {
    std::vector<Fd> held; // until the target is closed
    std::string doubt;    // see Target::doubt
};

// Claims what the block device lies on, which this process has opened with O_EXCL. `path` is for messages.
// Throws Error (ExitStatus::target) when something else uses that.
[[nodiscard]] Claims claim_below(const std::string& path, dev_t device);

} // namespace ezio

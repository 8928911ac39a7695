// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tells the machine's LVM2 that other physical volumes may be on a device now, as `pvscan --cache` does. By a
// child process that was made before privileges were given up, and has the user and no capabilities: the
// device may be one that never answers, and the kernel would let no process go that waits for it. The child
// is left to itself then.
#pragma once

#include "ezio/util/clock.hpp"
#include "ezio/util/fd.hpp"

#include <memory>
#include <string>

#include <sys/types.h>

namespace ezio {

class VolumeScan {
  public:
    // `program` is the path of lvm.
    VolumeScan(dev_t device, const std::string& program);
    ~VolumeScan(); // at once
    VolumeScan(const VolumeScan&) = delete;
    VolumeScan& operator=(const VolumeScan&) = delete;

    // Once. Returns in a little more than `patience`, whatever hangs: what went wrong; empty: nothing. Any
    // thread.
    [[nodiscard]] std::string scan(milliseconds patience);

  private:
    Fd m_socket;
    pid_t m_child = -1;
};

// For a target that is a block device, where LVM2 is installed; none for others.
[[nodiscard]] std::unique_ptr<VolumeScan> make_volume_scan(int fd);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tells the machine's LVM2 about new physical volumes on a device, like `pvscan --cache`.
#pragma once

#include "ezio/process/child_process.hpp"
#include "ezio/util/clock.hpp"

#include <memory>
#include <string>

#include <sys/types.h>

namespace ezio {

class VolumeScan {
  public:
    // `program` is the path of lvm.
    VolumeScan(dev_t device, const std::string& program);

    // To be called once. Returns after little more than `patience`, whatever hangs: an error, or an empty
    // string. Any thread.
    [[nodiscard]] std::string scan(milliseconds patience);

  private:
    AskedChild m_child;
};

// Null unless the target is a block device and LVM2 is installed.
[[nodiscard]] std::unique_ptr<VolumeScan> make_volume_scan(int fd);

} // namespace ezio

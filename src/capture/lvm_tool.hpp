// SPDX-License-Identifier: GPL-2.0-or-later
//
// LVM2's own program, asked what is on some block devices. It is told to look at these alone and only to
// read: it locks nothing, speaks to no device mapper or daemon, and neither reads nor writes the machine's
// configuration, its list of devices, caches or backups of metadata.
#pragma once

#include "lvm_report.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

[[nodiscard]] bool lvm_is_installed();

struct LvmAnswer {
    LvmReport report;
    std::string errors; // what it said besides, warnings for the most part
};

// `devices` are paths that lvm_can_name. `memory` and `tick` as in run_process. Throws Error
// (ExitStatus::target): it is not installed, or fails.
[[nodiscard]] LvmAnswer ask_lvm(const std::vector<std::string>& devices, std::uint64_t memory,
                                const std::function<void()>& tick);

// Whether a path means in LVM2's patterns what it is: it is below /dev, and of plain characters.
[[nodiscard]] bool lvm_can_name(std::string_view path);

// The configuration with which LVM2 looks at `devices` alone.
[[nodiscard]] std::string lvm_configuration(const std::vector<std::string>& devices);

// The last lines that are not known to mean nothing.
[[nodiscard]] std::string lvm_reason_in(std::string_view errors);

} // namespace ezio

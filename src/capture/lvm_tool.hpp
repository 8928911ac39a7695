// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs LVM2's own program to find out what is on some block devices. It is told to look only at these, and
// only to read: it locks nothing, talks to no device mapper or daemon, and neither reads nor writes the
// machine's configuration, its list of devices, caches or backups of metadata.
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
    std::string errors; // other messages, mostly warnings
};

// `devices` are paths accepted by lvm_can_name. `memory` and `tick` as in run_process. Throws Error
// (ExitStatus::target): it is not installed, or fails.
[[nodiscard]] LvmAnswer ask_lvm(const std::vector<std::string>& devices, std::uint64_t memory,
                                const std::function<void()>& tick);

// Whether a path means itself in LVM2's patterns: it is below /dev and has only plain characters.
[[nodiscard]] bool lvm_can_name(std::string_view path);

// The configuration that makes LVM2 look at `devices` only.
[[nodiscard]] std::string lvm_configuration(const std::vector<std::string>& devices);

// The last lines, without those known to be meaningless.
[[nodiscard]] std::string lvm_reason_in(std::string_view errors);

} // namespace ezio

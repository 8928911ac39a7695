// SPDX-License-Identifier: GPL-2.0-or-later
//
// Telling the device which of its blocks the image does not use (TRIM).
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/process/stop_signal.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/target/target.hpp"

#include <cstdint>
#include <vector>

namespace ezio {

// What of [0, size) lies outside `used` (in device order, apart from each other), in device order and cut
// inwards to multiples of `alignment` bytes: nothing of an extent is in any of them. None is longer than
// `longest`, a multiple of `alignment`.
[[nodiscard]] std::vector<Extent> unused_ranges(const std::vector<Extent>& used, std::uint64_t size,
                                                std::uint64_t alignment, std::uint64_t longest);

// Discards all of the target that the image does not use. Where that cannot be done there is a warning, and
// nothing else is lost. Throws Error when a signal came.
void discard_unused(Target& target, const ExtentMap& map, Reporter& reporter, const StopSignal& stop);

} // namespace ezio

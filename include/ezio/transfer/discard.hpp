// SPDX-License-Identifier: GPL-2.0-or-later
//
// Discards (TRIM) the blocks of a target that the image does not use.
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/process/stop_signal.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/target/target.hpp"

#include <cstdint>
#include <vector>

namespace ezio {

// The parts of [0, size) outside `used` (which is in device order and does not overlap), in device order and
// shrunk to multiples of `alignment` bytes, so that no byte of an extent is in any of them. None is longer
// than `longest`, a multiple of `alignment`.
[[nodiscard]] std::vector<Extent> unused_ranges(const std::vector<Extent>& used, std::uint64_t size,
                                                std::uint64_t alignment, std::uint64_t longest);

// Discards everything on the target that the image does not use. If that is impossible, a warning is all that
// follows. Throws Error when a signal arrives.
void discard_unused(Target& target, const ExtentMap& map, Reporter& reporter, const StopSignal& stop);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/context.hpp"
#include "ezio/piece_scan.hpp"

namespace ezio {

// Reports the scan's progress as `phase` until it has ended; `total_bytes` is what it hashes. Returns how
// many seconds that took. Throws Error: what the scan failed with, or that a signal came; the scan is then
// still to be given up (by its destructor).
double wait_for_scan(const PieceScan& scan, Phase phase, std::uint64_t total_bytes, const Context& context);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "context.hpp"
#include "ezio/verify/image_check.hpp"

namespace ezio {

// Reports the progress of `check` as `phase` until it is over; `total_bytes` is what it hashes. Returns how
// many seconds that took. Throws Error: what it failed with, or that a signal came; it is then still to be
// given up (by its destructor).
double wait_for_check(ImageCheck& check, Phase phase, std::uint64_t total_bytes, const Context& context);

} // namespace ezio

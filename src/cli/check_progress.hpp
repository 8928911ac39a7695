// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "context.hpp"
#include "ezio/verify/image_check.hpp"

namespace ezio {

// Reports the progress of `check` as `phase` until it is over; `total_bytes` is the number of bytes to hash.
// Returns the duration in seconds. Throws Error: the check's failure, or a signal; the check is then still
// running (its destructor ends it).
double wait_for_check(ImageCheck& check, Phase phase, std::uint64_t total_bytes, const Context& context);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/child_process.hpp"

#include <algorithm>

#include <unistd.h>

namespace ezio {

void close_all_but(int one, int other) noexcept
{
    const auto low = static_cast<unsigned>(std::min(one, other));
    const auto high = static_cast<unsigned>(std::max(one, other));
    if (low > 0) {
        (void)::close_range(0, low - 1, 0);
    }
    if (high > low + 1) {
        (void)::close_range(low + 1, high - 1, 0);
    }
    (void)::close_range(high + 1, ~0U, 0);
}

} // namespace ezio

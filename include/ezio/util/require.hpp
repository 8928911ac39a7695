// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdlib>

namespace ezio {

// For checks of invariants that tests ask for: also in release builds, unlike assert.
inline void require(bool holds)
{
    if (!holds) {
        std::abort();
    }
}

} // namespace ezio

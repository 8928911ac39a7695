// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdlib>

namespace ezio {

// Checks an invariant, in release builds, too (unlike assert). For methods that check invariants in tests.
inline void require(bool holds)
{
    if (!holds) {
        std::abort();
    }
}

} // namespace ezio

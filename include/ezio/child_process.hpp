// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace ezio {

// For a child that was just forked: closes every descriptor but these two, which may be the same. Allocates
// nothing.
void close_all_but(int one, int other) noexcept;

} // namespace ezio

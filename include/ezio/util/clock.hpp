// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>

namespace ezio {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

} // namespace ezio

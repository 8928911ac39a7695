// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/deadline.hpp"
#include "ezio/reporter.hpp"
#include "ezio/stop_signal.hpp"
#include "ezio/wakeup.hpp"

namespace ezio {

enum class Format { text, json };

// What every command gets.
struct Context {
    Reporter& reporter;
    Format format;
    Wakeup& wakeup;
    StopSignal& stop;
    Deadline& deadline;
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/process/deadline.hpp"
#include "ezio/process/stop_signal.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/util/wakeup.hpp"

namespace ezio {

enum class Format { text, json };

// Passed to every command.
struct Context {
    Reporter& reporter;
    Format format;
    Verbosity verbosity;
    Wakeup& wakeup;
    StopSignal& stop;
    Deadline& deadline;
};

} // namespace ezio

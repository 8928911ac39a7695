// SPDX-License-Identifier: GPL-2.0-or-later
//
// Progress in words: pure functions from an event and a width to a line of text.
#pragma once

#include "ezio/reporter.hpp"

#include <cstddef>
#include <string>

namespace ezio {

// At most `width` columns, the most important parts first; never 100 % before everything is done and synced.
[[nodiscard]] std::string progress_line(const ProgressEvent& event, std::size_t width);

// The part of the whole that is done, 0 to 100. While syncing it stays below 100.
[[nodiscard]] double percent_done(const ProgressEvent& event);

} // namespace ezio

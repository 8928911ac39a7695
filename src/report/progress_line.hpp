// SPDX-License-Identifier: GPL-2.0-or-later
//
// Progress in words: pure functions from an event and a width to a line of text.
//
// On a terminal the line is calm: every number has a place wide enough for all its values, so that nothing
// moves but the bar, which takes the remaining width. A narrow line leaves out the least important parts.
#pragma once

#include "ezio/report/reporter.hpp"

#include <cstddef>
#include <string>

namespace ezio {

enum class Glyphs { ascii, unicode };

// At most `width` columns; 100 % only when everything is done and synced.
[[nodiscard]] std::string progress_line(const ProgressEvent& event, std::size_t width, Glyphs glyphs);

// The same facts without a bar, for logs: "downloading 42.3%, 3.4 GiB of 8.0 GiB, ...".
[[nodiscard]] std::string plain_progress(const ProgressEvent& event);

// The percentage done, 0 to 100. Below 100 while syncing.
[[nodiscard]] double percent_done(const ProgressEvent& event);

// A bar of `width` columns, `percent` of it filled from the left. Completely filled only at 100.
[[nodiscard]] std::string progress_bar(double percent, std::size_t width, Glyphs glyphs);

// A remaining time, as precise as it can be known: "0:41", "12 min", "3.5 h".
[[nodiscard]] std::string format_eta(double seconds);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Progress in words: pure functions from an event and a width to a line of text.
//
// On a terminal the line is calm: every number has a place of its own that is wide enough for all its values,
// so that nothing moves but the bar, which takes what is left. A narrow line leaves out what matters least.
#pragma once

#include "ezio/report/reporter.hpp"

#include <cstddef>
#include <string>

namespace ezio {

enum class Glyphs { ascii, unicode };

// At most `width` columns; never 100 % before everything is done and synced.
[[nodiscard]] std::string progress_line(const ProgressEvent& event, std::size_t width, Glyphs glyphs);

// The same facts without a bar, for logs: "downloading 42.3%, 3.4 GiB of 8.0 GiB, ...".
[[nodiscard]] std::string plain_progress(const ProgressEvent& event);

// The part of the whole that is done, 0 to 100. While syncing it stays below 100.
[[nodiscard]] double percent_done(const ProgressEvent& event);

// `percent` of `width` columns, full from the left. Never all full below 100.
[[nodiscard]] std::string progress_bar(double percent, std::size_t width, Glyphs glyphs);

// A time that is left, as exactly as it can be known: "0:41", "12 min", "3.5 h".
[[nodiscard]] std::string format_eta(double seconds);

} // namespace ezio

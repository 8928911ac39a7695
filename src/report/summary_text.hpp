// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/report/reporter.hpp"

#include <string>
#include <vector>

namespace ezio {

// A command's result in sentences: the sources, bytes written, bytes served. `command` is the start event's.
// May be empty.
[[nodiscard]] std::vector<std::string> summary_text(const std::string& command, const SummaryEvent& event);

} // namespace ezio

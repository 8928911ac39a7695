// SPDX-License-Identifier: GPL-2.0-or-later
//
// The help, made from what the commands take. No line is wider than 79 columns.
#pragma once

#include "command_spec.hpp"

#include <string>
#include <vector>

namespace ezio {

// What `ezio-cli --help` prints.
[[nodiscard]] std::string general_help(const std::vector<CommandSpec>& commands);
[[nodiscard]] std::string completion_help();

// What `ezio-cli help fetch` prints.
[[nodiscard]] std::string command_help(const CommandSpec& command);

} // namespace ezio

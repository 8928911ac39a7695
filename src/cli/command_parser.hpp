// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the words of a command line into what a command takes. CLI11 does the reading; it is used nowhere
// else, and what it would say about mistakes is said here, in our own words.
#pragma once

#include "command_spec.hpp"

#include <string>
#include <vector>

namespace ezio {

// Reads `words`, what stands after the command's name. Options may stand anywhere, and are read in the order
// in which they were given. `all` are the commands, this one among them, to tell an option of another one.
// Throws Error (ExitStatus::usage): an unknown option, with the one that may have been meant; an option
// without its value, or a flag with one; a bad value; an argument that is missing or too many.
void parse(const CommandSpec& command, const std::vector<std::string>& words,
           const std::vector<CommandSpec>& all);

} // namespace ezio

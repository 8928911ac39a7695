// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "declared_commands.hpp"

#include <string>
#include <vector>

namespace ezio {

// Parses `words`, the words after the command's name, into `command.read`. Returns false if help is
// requested. `all` are the commands, including this one, to recognize options of other commands. Throws Error
// (ExitStatus::usage), in our words: an unknown option, with a suggestion; an option without its value, or a
// flag with one; a bad value; a missing or surplus argument.
[[nodiscard]] bool parse(const DeclaredCommand& command, std::vector<std::string> words,
                         const std::vector<DeclaredCommand>& all);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "declared_commands.hpp"

#include <string>
#include <vector>

namespace ezio {

// Reads `words`, what stands after the command's name, into `command.read`. False when help is asked for.
// `all` are the commands, this one among them, to tell an option of another one. Throws Error
// (ExitStatus::usage), in our words: an unknown option, with the one that may have been meant; an option
// without its value, or a flag with one; a bad value; an argument that is missing or too many.
[[nodiscard]] bool parse(const DeclaredCommand& command, std::vector<std::string> words,
                         const std::vector<DeclaredCommand>& all);

} // namespace ezio

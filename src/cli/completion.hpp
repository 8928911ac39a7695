// SPDX-License-Identifier: GPL-2.0-or-later
//
// Completion for shells, made from what the commands take. Arguments are completed with files, and so are
// values that are called FILE.
#pragma once

#include "declared_commands.hpp"

#include <string>
#include <vector>

namespace ezio {

// The script for `shell`: bash, zsh or fish. Throws Error (ExitStatus::usage) for others.
[[nodiscard]] std::string completion_script(const std::vector<DeclaredCommand>& commands,
                                            const std::string& shell);

} // namespace ezio

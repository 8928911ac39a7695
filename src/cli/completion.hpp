// SPDX-License-Identifier: GPL-2.0-or-later
//
// Completion scripts for shells, made from the declared commands. Arguments and values named FILE are
// completed with file names.
#pragma once

#include "declared_commands.hpp"

#include <string>
#include <vector>

namespace ezio {

// The script for `shell`: bash, zsh or fish. Throws Error (ExitStatus::usage) for others.
[[nodiscard]] std::string completion_script(const std::vector<DeclaredCommand>& commands,
                                            const std::string& shell);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// The commands, each declared once to CLI11: arguments and options with their groups, defaults and examples.
// Parsing, help and shell completion are all derived from this.
#pragma once

#include "command_line.hpp"

#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace ezio {

struct DeclaredCommand {
    std::string name; // "fetch"
    std::shared_ptr<CLI::App> app;
    std::shared_ptr<CommandLine> read; // the result of parsing; the defaults until then
};

// In the order of the help.
[[nodiscard]] std::vector<DeclaredCommand> declare_commands();

} // namespace ezio

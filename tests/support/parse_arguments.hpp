// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "cli/command_line.hpp"

#include <string>
#include <variant>
#include <vector>

namespace ezio::test {

using Arguments = std::vector<std::string>;

// What `ezio-cli ARGUMENTS...` parses.
[[nodiscard]] inline std::variant<CommandLine, HelpText> parse_arguments(const Arguments& arguments)
{
    std::vector<const char*> argv{"ezio-cli"};
    for (const std::string& argument : arguments) {
        argv.push_back(argument.c_str());
    }
    return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

} // namespace ezio::test

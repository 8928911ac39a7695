// SPDX-License-Identifier: GPL-2.0-or-later
//
// The help, derived from the declared commands. No line is wider than 79 columns.
#pragma once

#include "declared_commands.hpp"

#include <string>
#include <vector>

namespace CLI {
class Option;
}

namespace ezio {

// The output of `ezio-cli --help`.
[[nodiscard]] std::string general_help(const std::vector<DeclaredCommand>& commands);
[[nodiscard]] std::string completion_help();

// The output of `ezio-cli help fetch`.
[[nodiscard]] std::string command_help(const CLI::App& command);

// "ezio-cli create [OPTIONS] SOURCE -o FILE"
[[nodiscard]] std::string usage_line(const CLI::App& command);

// The command's options without the arguments, and its arguments without the options.
[[nodiscard]] std::vector<const CLI::Option*> options_of(const CLI::App& command);
[[nodiscard]] std::vector<const CLI::Option*> arguments_of(const CLI::App& command);

[[nodiscard]] bool is_flag(const CLI::Option& option);
[[nodiscard]] bool is_repeatable(const CLI::Option& option); // grows a list

// "-o", or empty.
[[nodiscard]] std::string short_name(const CLI::Option& option);

// "--output FILE", or the name of an argument.
[[nodiscard]] std::string title_of(const CLI::Option& option);

} // namespace ezio

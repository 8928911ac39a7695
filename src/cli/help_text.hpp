// SPDX-License-Identifier: GPL-2.0-or-later
//
// The help, made from what the commands take. No line is wider than 79 columns.
#pragma once

#include "declared_commands.hpp"

#include <string>
#include <vector>

namespace CLI {
class Option;
}

namespace ezio {

// What `ezio-cli --help` prints.
[[nodiscard]] std::string general_help(const std::vector<DeclaredCommand>& commands);
[[nodiscard]] std::string completion_help();

// What `ezio-cli help fetch` prints.
[[nodiscard]] std::string command_help(const CLI::App& command);

// "ezio-cli create [OPTIONS] SOURCE -o FILE"
[[nodiscard]] std::string usage_line(const CLI::App& command);

// What is declared of a command: options without the arguments, and arguments without the options.
[[nodiscard]] std::vector<const CLI::Option*> options_of(const CLI::App& command);
[[nodiscard]] std::vector<const CLI::Option*> arguments_of(const CLI::App& command);

[[nodiscard]] bool is_flag(const CLI::Option& option);
[[nodiscard]] bool is_repeatable(const CLI::Option& option); // grows a list

// "-o", or empty.
[[nodiscard]] std::string short_name(const CLI::Option& option);

// "--output FILE", or what an argument is called.
[[nodiscard]] std::string title_of(const CLI::Option& option);

} // namespace ezio

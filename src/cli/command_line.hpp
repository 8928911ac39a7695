// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "commands.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ezio {

struct OutputOptions {
    Format format = Format::text;
    Verbosity verbosity = Verbosity::normal;
    Color color = Color::yes;
    std::optional<std::chrono::milliseconds> interval; // none: the reporter's default
};

struct CommandLine {
    Command command;
    OutputOptions output;
};

// The text to print for --help, help or --version, instead of running a command.
struct HelpText {
    std::string text;
};

// Throws Error (ExitStatus::usage) naming the option, the value and the valid values.
[[nodiscard]] std::variant<CommandLine, HelpText> parse_command_line(int argc, const char* const* argv);

// The output options, as far as they can be parsed: for reporting that the command line is wrong.
[[nodiscard]] OutputOptions output_options(int argc, const char* const* argv);

} // namespace ezio

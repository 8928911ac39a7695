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
    std::optional<std::chrono::milliseconds> interval; // none: the reporter's own
};

struct CommandLine {
    Command command;
    OutputOptions output;
};

// What to print instead of doing anything: --help, help, --version.
struct HelpText {
    std::string text;
};

// Throws Error (ExitStatus::usage) naming the option, the value and what is valid.
[[nodiscard]] std::variant<CommandLine, HelpText> parse_command_line(int argc, const char* const* argv);

// What the options about output say, as far as they can be made out: how to report that the rest is wrong.
[[nodiscard]] OutputOptions output_options(int argc, const char* const* argv);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "command_line.hpp"

#include "command_parser.hpp"
#include "completion.hpp"
#include "declared_commands.hpp"
#include "ezio/compression/availability.hpp"
#include "help_text.hpp"
#include "suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace ezio {

namespace {

// Throws Error if there is no such command.
const DeclaredCommand& find_command(const std::vector<DeclaredCommand>& all, const std::string& name)
{
    std::vector<std::string> names;
    for (const DeclaredCommand& command : all) {
        if (command.name == name) {
            return command;
        }
        names.push_back(command.name);
    }
    const auto meant = nearest(name, names);
    throw Error(ExitStatus::usage, fmt::format("unknown command '{}'; {}", name,
                                               meant ? fmt::format("did you mean {}?", *meant)
                                                     : fmt::format("expected {}", fmt::join(names, ", "))));
}

bool asks_for_help(const std::vector<std::string>& words)
{
    const auto end = std::find(words.begin(), words.end(), "--");
    return std::any_of(words.begin(), end,
                       [](const std::string& word) { return word == "-h" || word == "--help"; });
}

std::string version_text()
{
    std::string text = "ezio-cli " EZIO_VERSION;
    if (!compression_is_built_in()) {
        text += " (without compression)";
    }
    text += '\n';
#ifdef EZIO_LIBRARIES
    text += "statically linked: " EZIO_LIBRARIES "\n";
#endif
    return text;
}

// The text for an option in place of a command, if it asks for one.
std::optional<std::string> instead_of_command(const std::vector<DeclaredCommand>& all,
                                              const std::string& first, const std::vector<std::string>& rest)
{
    if (first == "--version") {
        return version_text();
    }
    const bool of_a_command = !rest.empty() && rest[0] != "help" && !rest[0].starts_with('-');
    if (first == "-h" || first == "--help" || (first == "help" && !of_a_command)) {
        return general_help(all);
    }
    if (first == "help") {
        return rest[0] == "completion" ? completion_help() : command_help(*find_command(all, rest[0]).app);
    }
    if (first == "completion" && asks_for_help(rest)) {
        return completion_help();
    }
    if (first == "completion") {
        return completion_script(all, rest.empty() ? "" : rest[0]);
    }
    if (first.starts_with('-')) {
        throw Error(ExitStatus::usage, fmt::format("{} has to follow a command; usage: ezio-cli COMMAND "
                                                   "[OPTIONS] ARGUMENTS (see ezio-cli --help)",
                                                   first));
    }
    return std::nullopt;
}

} // namespace

std::variant<CommandLine, HelpText> parse_command_line(int argc, const char* const* argv)
{
    const auto all = declare_commands();
    if (argc < 2) {
        throw Error(ExitStatus::usage, "no command given; expected create, seed, fetch, verify or info "
                                       "(see ezio-cli --help)");
    }
    const std::string first = argv[1];
    const std::vector<std::string> rest(argv + 2, argv + argc);
    if (const auto text = instead_of_command(all, first, rest)) {
        return HelpText{*text};
    }
    const DeclaredCommand& command = find_command(all, first);
    if (asks_for_help(rest) || !parse(command, rest, all)) {
        return HelpText{command_help(*command.app)};
    }
    return *command.read;
}

OutputOptions output_options(int argc, const char* const* argv)
{
    const auto given = [&](std::string_view option) {
        return std::find(argv, argv + argc, option) != argv + argc;
    };
    OutputOptions output;
    output.format = given("--json") ? Format::json : Format::text;
    output.color = given("--no-color") ? Color::no : Color::yes;
    return output;
}

} // namespace ezio

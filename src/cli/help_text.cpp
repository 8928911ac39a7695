// SPDX-License-Identifier: GPL-2.0-or-later
#include "help_text.hpp"

#include <fmt/format.h>

#include <sstream>

namespace ezio {

namespace {

constexpr std::size_t help_width = 79;
constexpr std::size_t text_column = 28;

// `text` in lines, each beginning at text_column; the first one after `title`, where that leaves room.
std::string entry(const std::string& title, const std::string& text)
{
    std::string result = "  " + title;
    std::size_t column = result.size();
    const auto begin_text = [&] {
        result += std::string(text_column - column, ' ');
        column = text_column;
    };
    const auto begin_line = [&] {
        result += '\n';
        column = 0;
        begin_text();
    };
    column + 2 > text_column ? begin_line() : begin_text();
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        if (column > text_column && column + 1 + word.size() > help_width) {
            begin_line();
        }
        const bool first = column == text_column;
        result += (first ? "" : " ") + word;
        column += word.size() + (first ? 0 : 1);
    }
    return result + "\n";
}

std::string title_of(const OptionSpec& option)
{
    const std::string names =
        option.short_name.empty() ? option.name : option.short_name + ", " + option.name;
    return option.is_flag() ? names : names + " " + option.value_name;
}

std::string text_of(const OptionSpec& option)
{
    std::string text = option.help;
    if (option.is_repeatable) {
        text += "; may be repeated";
    }
    if (!option.default_text.empty()) {
        text += "; default: " + option.default_text;
    }
    return text;
}

std::string options_text(const CommandSpec& command)
{
    std::string text;
    std::string group;
    for (const OptionSpec& option : command.options) {
        if (option.group != group) {
            group = option.group;
            text += "\n" + group + ":\n";
        }
        text += entry(title_of(option), text_of(option));
    }
    return text;
}

std::string examples_text(const CommandSpec& command)
{
    std::string text;
    for (const std::string& example : command.examples) {
        text += (text.empty() ? "\nExamples:\n  " : "  ") + example + "\n";
    }
    return text;
}

} // namespace

std::string general_help(const std::vector<CommandSpec>& commands)
{
    std::string text = "Deploys disk images over a LAN with BitTorrent.\n\n"
                       "Usage: ezio-cli COMMAND [OPTIONS] ARGUMENTS\n\nCommands:\n";
    for (const CommandSpec& command : commands) {
        text += entry(command.name, command.summary);
    }
    text += "\nMore:\n";
    text += entry("help COMMAND", "A command's options, with examples");
    text += entry("completion SHELL", "A script for bash, zsh or fish");
    text += entry("--version", "The version");
    text += "\nOn the machine that has the image, and then on every other:\n";
    for (const CommandSpec& command : commands) {
        if (command.name != "info" && command.name != "verify" && !command.examples.empty()) {
            text += "  " + command.examples.front() + "\n";
        }
    }
    return text + "\nThe manual, with exit statuses and the events of --json: man ezio-cli\n";
}

std::string completion_help()
{
    return "Print a script for a shell, which completes the command line.\n\n"
           "Usage: ezio-cli completion bash|zsh|fish\n\n"
           "Examples:\n  source <(ezio-cli completion bash)\n"
           "  ezio-cli completion fish > ~/.config/fish/completions/ezio-cli.fish\n";
}

std::string command_help(const CommandSpec& command)
{
    std::string text = fmt::format("{}.\n\nUsage: {}\n\n", command.summary, usage_line(command));
    for (const ArgumentSpec& argument : command.arguments) {
        text += entry(argument.name, argument.help);
    }
    return text + options_text(command) + examples_text(command);
}

} // namespace ezio

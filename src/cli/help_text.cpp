// SPDX-License-Identifier: GPL-2.0-or-later
#include "help_text.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <sstream>

namespace ezio {

namespace {

constexpr std::size_t help_width = 79;
constexpr std::size_t text_column = 28;

// `text` in lines that begin at text_column; the first one follows `title` if there is room.
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

std::string names_of(const CLI::Option& option)
{
    const std::string title = title_of(option);
    return short_name(option).empty() ? title : short_name(option) + ", " + title;
}

std::string text_of(const CLI::Option& option)
{
    std::string text = option.get_description();
    if (is_repeatable(option)) {
        text += "; may be repeated";
    }
    if (!option.get_default_str().empty()) {
        text += "; default: " + option.get_default_str();
    }
    return text;
}

std::string options_text(const CLI::App& command)
{
    std::string text;
    std::string group = CLI::OptionDefaults().get_group(); // the group of options without one
    for (const CLI::Option* option : options_of(command)) {
        if (option->get_group() != group) {
            group = option->get_group();
            text += "\n" + group + ":\n";
        }
        text += entry(names_of(*option), text_of(*option));
    }
    return text;
}

} // namespace

std::vector<const CLI::Option*> options_of(const CLI::App& command)
{
    return command.get_options([](const CLI::Option* option) { return option->nonpositional(); });
}

std::vector<const CLI::Option*> arguments_of(const CLI::App& command)
{
    return command.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

bool is_flag(const CLI::Option& option)
{
    return option.get_items_expected_max() == 0;
}

bool is_repeatable(const CLI::Option& option)
{
    return option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
}

std::string short_name(const CLI::Option& option)
{
    return option.get_snames().empty() ? "" : "-" + option.get_snames().front();
}

std::string title_of(const CLI::Option& option)
{
    const bool has_value = option.nonpositional() && !is_flag(option);
    return has_value ? option.get_name() + " " + option.get_type_name() : option.get_name();
}

std::string usage_line(const CLI::App& command)
{
    std::string line = fmt::format("ezio-cli {} [OPTIONS]", command.get_name());
    for (const CLI::Option* argument : arguments_of(command)) {
        line += " " + argument->get_name();
    }
    for (const CLI::Option* option : options_of(command)) {
        if (option->get_required()) {
            line += fmt::format(" {} {}", short_name(*option), option->get_type_name());
        }
    }
    return line;
}

std::string general_help(const std::vector<DeclaredCommand>& commands)
{
    std::string text = "Deploys disk images over a LAN with BitTorrent.\n\n"
                       "Usage: ezio-cli COMMAND [OPTIONS] ARGUMENTS\n\nCommands:\n";
    for (const DeclaredCommand& command : commands) {
        text += entry(command.name, command.app->get_description());
    }
    text += "\nMore:\n";
    text += entry("help COMMAND", "A command's options, with examples");
    text += entry("completion SHELL", "A script for bash, zsh or fish");
    text += entry("--version", "The version");
    return text +
           "\nOn the machine that has the image, then on each target (fetch):\n  ezio-cli create /dev/sda1 "
           "-o sda1.torrent\n  ezio-cli seed sda1.torrent /dev/sda1\n  ezio-cli fetch sda1.torrent "
           "/dev/sda1\n\nThe manual, with exit statuses and the events of --json: man ezio-cli\n";
}

std::string completion_help()
{
    return "Print a script for a shell, which completes the command line.\n\n"
           "Usage: ezio-cli completion bash|zsh|fish\n\n"
           "Examples:\n  source <(ezio-cli completion bash)\n"
           "  ezio-cli completion fish > ~/.config/fish/completions/ezio-cli.fish\n";
}

std::string command_help(const CLI::App& command)
{
    std::string text = fmt::format("{}.\n\nUsage: {}\n\n", command.get_description(), usage_line(command));
    for (const CLI::Option* argument : arguments_of(command)) {
        text += entry(argument->get_name(), argument->get_description());
    }
    return text + options_text(command) + "\nExamples:\n" + command.get_footer();
}

} // namespace ezio

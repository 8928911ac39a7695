// SPDX-License-Identifier: GPL-2.0-or-later
#include "command_parser.hpp"

#include "suggestion.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace ezio {

namespace {

[[noreturn]] void refuse(const std::string& message)
{
    throw Error(ExitStatus::usage, message);
}

std::string see_help(const CommandSpec& command)
{
    return fmt::format(" (see ezio-cli help {})", command.name);
}

std::vector<std::string> option_names(const CommandSpec& command)
{
    std::vector<std::string> names;
    for (const OptionSpec& option : command.options) {
        names.push_back(option.name);
    }
    return names;
}

// "fetch and seed", for an option that stands under the wrong command; empty when none has it.
std::string commands_with(const std::string& option, const std::vector<CommandSpec>& all)
{
    std::string names;
    for (const CommandSpec& command : all) {
        if (command.find(option) != nullptr) {
            names += (names.empty() ? "" : " and ") + command.name;
        }
    }
    return names;
}

[[noreturn]] void refuse_unknown_option(const CommandSpec& command, const std::string& word,
                                        const std::vector<CommandSpec>& all)
{
    const std::string name = word.substr(0, word.find('='));
    if (const std::string others = commands_with(name, all); !others.empty()) {
        refuse(fmt::format("{} has no option {}; that is for {}", command.name, name, others));
    }
    const auto meant = nearest(name, option_names(command));
    refuse(fmt::format("unknown option {}{}{}", name, meant ? fmt::format("; did you mean {}?", *meant) : "",
                       see_help(command)));
}

[[noreturn]] void refuse_without_value(const OptionSpec& option)
{
    refuse(fmt::format("{} has no value; expected {}", option.name, option.valid));
}

// "--json=1", which is a mistake, and "--timeout=", for whose value CLI11 would take the next word.
void check_assignments(const CommandSpec& command, const std::vector<std::string>& words)
{
    for (const std::string& word : words) {
        if (word == "--") {
            return;
        }
        const std::size_t sign = word.find('=');
        const OptionSpec* option = sign != std::string::npos ? command.find(word.substr(0, sign)) : nullptr;
        if (option != nullptr && option->is_flag()) {
            refuse(fmt::format("{} takes no value", option->name));
        }
        if (option != nullptr && sign + 1 == word.size()) {
            refuse_without_value(*option);
        }
    }
}

// What CLI11 found no use for: unknown options, and arguments too many.
void refuse_rest(const CommandSpec& command, const std::vector<std::string>& rest,
                 const std::vector<CommandSpec>& all)
{
    bool only_arguments = false; // after "--"
    for (const std::string& word : rest) {
        if (word == "--" && !only_arguments) {
            only_arguments = true;
        } else if (!only_arguments && word.size() > 1 && word[0] == '-') {
            refuse_unknown_option(command, word, all);
        } else {
            refuse(fmt::format("'{}' is one argument too many; usage: {}", word, usage_line(command)));
        }
    }
}

// CLI11's options for ours. Each keeps its texts until they are read in the order of the command line.
class Words {
  public:
    explicit Words(const CommandSpec& command) : m_command(command)
    {
        m_app.set_help_flag("");
        m_app.allow_extras();
        for (const ArgumentSpec& argument : command.arguments) {
            add_value(argument.name)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
        }
        for (const OptionSpec& option : command.options) {
            const std::string names =
                option.short_name.empty() ? option.name : option.short_name + "," + option.name;
            CLI::Option* added = option.is_flag() ? m_app.add_flag(names) : add_value(names);
            added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
            m_options[added] = &option;
        }
    }

    // Throws Error when an option has no value.
    void split(std::vector<std::string> words)
    {
        std::reverse(words.begin(), words.end()); // as CLI11 wants them
        try {
            m_app.parse(words);
        } catch (const CLI::ParseError& error) {
            refuse_missing_value(error.what());
        }
    }

    [[nodiscard]] std::vector<std::string> rest() const { return m_app.remaining(); }

    void read_options()
    {
        std::map<const CLI::Option*, std::size_t> next;
        for (const CLI::Option* given : m_app.parse_order()) {
            const auto found = m_options.find(given);
            if (found != m_options.end()) {
                found->second->read(given->results().at(next[given]++));
            }
        }
    }

    void read_arguments()
    {
        for (const ArgumentSpec& argument : m_command.arguments) {
            const CLI::Option& given = *m_app.get_option(argument.name);
            if (given.count() == 0 || given.results().front().empty()) {
                refuse(fmt::format("{} is missing; usage: {}", argument.name, usage_line(m_command)));
            }
            argument.read(given.results().front());
        }
    }

    void require_options() const
    {
        for (const OptionSpec& option : m_command.options) {
            if (option.is_required && m_app.count(option.name) == 0) {
                refuse(fmt::format("{} {} is missing; usage: {}", option.name, option.value_name,
                                   usage_line(m_command)));
            }
        }
    }

  private:
    CLI::Option* add_value(const std::string& names)
    {
        return m_app.add_option(names)->expected(1)->allow_extra_args(false);
    }

    // The options' values are texts of any kind: the one mistake that CLI11 finds is that there is none.
    [[noreturn]] void refuse_missing_value(const std::string& message) const
    {
        for (const OptionSpec& option : m_command.options) {
            if (message.starts_with(option.name + ":")) {
                refuse_without_value(option);
            }
        }
        refuse("the command line cannot be read" + see_help(m_command));
    }

    const CommandSpec& m_command;
    CLI::App m_app;
    std::map<const CLI::Option*, const OptionSpec*> m_options;
};

} // namespace

void parse(const CommandSpec& command, const std::vector<std::string>& words,
           const std::vector<CommandSpec>& all)
{
    check_assignments(command, words);
    Words split(command);
    split.split(words);
    refuse_rest(command, split.rest(), all);
    split.read_options();
    split.read_arguments();
    split.require_options();
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "command_parser.hpp"

#include "help_text.hpp"
#include "suggestion.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace ezio {

namespace {

[[noreturn]] void refuse(const std::string& message)
{
    throw Error(ExitStatus::usage, message);
}

// "seed and fetch", for an option under the wrong command; empty if no command has it.
std::string commands_with(const std::string& option, const std::vector<DeclaredCommand>& all)
{
    std::string names;
    for (const DeclaredCommand& command : all) {
        if (command.app->get_option_no_throw(option) != nullptr) {
            names += (names.empty() ? "" : " and ") + command.name;
        }
    }
    return names;
}

[[noreturn]] void refuse_unknown_option(const CLI::App& app, const std::string& word,
                                        const std::vector<DeclaredCommand>& all)
{
    const std::string name = word.substr(0, word.find('='));
    if (const std::string others = commands_with(name, all); !others.empty()) {
        refuse(fmt::format("{} has no option {}; that is for {}", app.get_name(), name, others));
    }
    std::vector<std::string> names;
    for (const CLI::Option* option : options_of(app)) {
        names.push_back(option->get_name());
    }
    const auto meant = nearest(name, names);
    refuse(fmt::format("unknown option {}{} (see ezio-cli help {})", name,
                       meant ? fmt::format("; did you mean {}?", *meant) : "", app.get_name()));
}

[[noreturn]] void refuse_without_value(CLI::Option& option)
{
    refuse(
        fmt::format("{} has no value; expected {}", option.get_name(), option.get_validator(0)->get_name()));
}

// Checks "--json=", which CLI11 accepts, and "--timeout=", for which CLI11 takes the next word as the value.
void check_assignments(CLI::App& app, const std::vector<std::string>& words)
{
    for (const std::string& word : words) {
        if (word == "--") {
            return;
        }
        const std::size_t sign = word.find('=');
        CLI::Option* option =
            sign != std::string::npos ? app.get_option_no_throw(word.substr(0, sign)) : nullptr;
        if (option != nullptr && is_flag(*option)) {
            refuse(fmt::format("{} takes no value", option->get_name()));
        }
        if (option != nullptr && sign + 1 == word.size()) {
            refuse_without_value(*option);
        }
    }
}

// Refuses what CLI11 could not use: unknown options, and surplus arguments.
void refuse_rest(const CLI::App& app, const std::vector<DeclaredCommand>& all)
{
    bool only_arguments = false; // after "--"
    for (const std::string& word : app.remaining()) {
        if (word == "--" && !only_arguments) {
            only_arguments = true;
        } else if (!only_arguments && word.size() > 1 && word[0] == '-') {
            refuse_unknown_option(app, word, all);
        } else {
            refuse(fmt::format("'{}' is one argument too many; usage: {}", word, usage_line(app)));
        }
    }
}

void require_everything(const CLI::App& app)
{
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_required() && (option->count() == 0 || option->results().front().empty())) {
            refuse(fmt::format("{} is missing; usage: {}", title_of(*option), usage_line(app)));
        }
    }
}

// CLI11's sentences begin with "--memory: ".
[[noreturn]] void translate(const CLI::ParseError& error, CLI::App& app)
{
    std::string sentence = error.what();
    const std::size_t colon = std::min(sentence.find(':'), sentence.size());
    CLI::Option* option = app.get_option_no_throw(sentence.substr(0, colon));
    if (option != nullptr && dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
        refuse_without_value(*option);
    }
    if (option != nullptr && dynamic_cast<const CLI::ValidationError*>(&error) != nullptr) {
        refuse(sentence.erase(colon, 1));
    }
    refuse(fmt::format("the command line cannot be read (see ezio-cli help {})", app.get_name()));
}

} // namespace

bool parse(const DeclaredCommand& command, std::vector<std::string> words,
           const std::vector<DeclaredCommand>& all)
{
    CLI::App& app = *command.app;
    check_assignments(app, words);
    std::reverse(words.begin(), words.end()); // in the order that CLI11 needs
    try {
        app.parse(words);
    } catch (const CLI::CallForHelp&) {
        return false;
    } catch (const CLI::ParseError& error) {
        refuse_rest(app, all);
        if (dynamic_cast<const CLI::RequiredError*>(&error) == nullptr) {
            translate(error, app);
        }
    }
    require_everything(app);
    return true;
}

} // namespace ezio

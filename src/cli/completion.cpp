// SPDX-License-Identifier: GPL-2.0-or-later
#include "completion.hpp"

#include "help_text.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <string_view>

namespace ezio {

namespace {

constexpr std::string_view shells = "bash zsh fish";

using Commands = std::vector<DeclaredCommand>;

bool takes_file(const CLI::Option& option)
{
    return option.get_type_name() == "FILE";
}

void append_word(std::string& list, const std::string& word)
{
    if (!word.empty()) {
        list += (list.empty() ? "" : " ") + word;
    }
}

std::string command_names(const Commands& commands)
{
    std::string names;
    for (const DeclaredCommand& command : commands) {
        append_word(names, command.name);
    }
    return names;
}

// Puts a backslash before each character of `special`.
std::string escaped(std::string_view text, std::string_view special)
{
    std::string result;
    for (const char c : text) {
        result += special.find(c) != std::string_view::npos ? std::string{'\\', c} : std::string{c};
    }
    return result;
}

// In single quotes.
std::string zsh_quoted(std::string_view text)
{
    std::string result = "'";
    for (const char c : text) {
        result += c == '\'' ? "'\\''" : std::string{c};
    }
    return result + "'";
}

// --- bash: three lists per command: all options, those with a value, and of these those with a file ---

std::string bash_case(const DeclaredCommand& command)
{
    std::string options;
    std::string with_value;
    std::string with_file;
    for (const CLI::Option* option : options_of(*command.app)) {
        for (const std::string& name : {short_name(*option), option->get_name()}) {
            append_word(options, name);
            append_word(with_value, is_flag(*option) ? "" : name);
            append_word(with_file, takes_file(*option) ? name : "");
        }
    }
    return fmt::format("    {})\n        options='{}'\n        with_value='{}'\n        with_file='{}' ;;\n",
                       command.name, options, with_value, with_file);
}

constexpr std::string_view bash_begin =
    R"(# Completion of ezio-cli for bash; made by `ezio-cli completion bash`.
_ezio_cli() {
    local current=$2 previous=$3 options with_value with_file
    COMPREPLY=()
    if [[ $current == = ]]; then # --option=, which bash has cut into words
        current='' previous=$3
    elif [[ $previous == = ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)); then
)";

constexpr std::string_view bash_end = R"(    *) return ;;
    esac
    if [[ " $with_file " == *" $previous "* ]]; then
        _ezio_cli_files "$current"
    elif [[ " $with_value " == *" $previous "* ]]; then
        :
    elif [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    else
        _ezio_cli_files "$current"
    fi
}
_ezio_cli_files() {
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
    compopt -o filenames 2> /dev/null || :
}
complete -F _ezio_cli ezio-cli
)";

std::string bash_script(const Commands& commands)
{
    const std::string names = command_names(commands);
    std::string script(bash_begin);
    script += fmt::format("        mapfile -t COMPREPLY < <(compgen -W '{} help completion --help --version' "
                          "-- \"$current\")\n        return\n    fi\n",
                          names);
    script += "    case ${COMP_WORDS[1]} in\n";
    for (const DeclaredCommand& command : commands) {
        script += bash_case(command);
    }
    script += fmt::format("    help) mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$current\"); return ;;\n",
                          names);
    script += fmt::format(
        "    completion) mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$current\"); return ;;\n", shells);
    return script + std::string(bash_end);
}

// --- zsh: one _arguments per command ---

std::string zsh_option(const CLI::Option& option)
{
    const std::string long_name = option.get_name() + (is_flag(option) ? "" : "=");
    const std::string text = "[" + escaped(option.get_description(), "[]:\\") + "]";
    const std::string value = is_flag(option) ? ""
                                              : ":" + escaped(option.get_type_name(), "[]:\\") +
                                                    (takes_file(option) ? ":_files" : ": ");
    const std::string repeat = is_repeatable(option) ? "*" : "";
    if (short_name(option).empty()) {
        return zsh_quoted(repeat + long_name + text + value);
    }
    const std::string exclusive =
        is_repeatable(option) ? "*" : fmt::format("({} {})", short_name(option), option.get_name());
    return fmt::format("{}{{{},{}}}{}", zsh_quoted(exclusive),
                       short_name(option) + (is_flag(option) ? "" : "+"), long_name,
                       zsh_quoted(text + value));
}

std::string zsh_case(const DeclaredCommand& command)
{
    std::string text = fmt::format("        {})\n            _arguments -s -S", command.name);
    for (const CLI::Option* option : options_of(*command.app)) {
        text += " \\\n                " + zsh_option(*option);
    }
    int position = 1;
    for (const CLI::Option* argument : arguments_of(*command.app)) {
        text += fmt::format(" \\\n                {}",
                            zsh_quoted(fmt::format("{}:{}:_files", position++, argument->get_name())));
    }
    return text + " ;;\n";
}

std::string zsh_script(const Commands& commands)
{
    std::string script = "#compdef ezio-cli\n# Made by `ezio-cli completion zsh`.\n_ezio_cli() {\n"
                         "    local -a commands\n    commands=(\n";
    for (const DeclaredCommand& command : commands) {
        script += "        " +
                  zsh_quoted(command.name + ":" + escaped(command.app->get_description(), ":\\")) + "\n";
    }
    script +=
        "        'help:A command'\\''s options, with examples'\n        'completion:A script for a shell'\n"
        "    )\n    if ((CURRENT == 2)); then\n        _describe command commands\n        return\n    fi\n"
        "    shift words\n    ((CURRENT--))\n    case $words[1] in\n";
    for (const DeclaredCommand& command : commands) {
        script += zsh_case(command);
    }
    script += fmt::format("        help) _values command {} ;;\n        completion) _values shell {} ;;\n",
                          command_names(commands), shells);
    return script + "    esac\n}\nif [[ $funcstack[1] == _ezio_cli ]]; then\n    _ezio_cli \"$@\"\nelse\n"
                    "    compdef _ezio_cli ezio-cli\nfi\n";
}

// --- fish: one `complete` per option ---

std::string fish_quoted(std::string_view text)
{
    return "'" + escaped(text, "'\\") + "'";
}

std::string fish_option(const std::string& command, const CLI::Option& option)
{
    std::string line = fmt::format("complete -c ezio-cli -n '__fish_seen_subcommand_from {}' -l {}", command,
                                   option.get_name().substr(2));
    if (!short_name(option).empty()) {
        line += " -s " + short_name(option).substr(1);
    }
    if (!is_flag(option)) {
        line += takes_file(option) ? " -r -F" : " -x";
    }
    return line + " -d " + fish_quoted(option.get_description()) + "\n";
}

std::string fish_script(const Commands& commands)
{
    std::string script = "# Completion of ezio-cli for fish; made by `ezio-cli completion fish`.\n";
    const std::string first = "complete -c ezio-cli -f -n __fish_use_subcommand -a ";
    for (const DeclaredCommand& command : commands) {
        script += first + command.name + " -d " + fish_quoted(command.app->get_description()) + "\n";
    }
    script += first + "help -d " + fish_quoted("A command's options, with examples") + "\n";
    script += first + "completion -d " + fish_quoted("A script for a shell") + "\n";
    script += fmt::format("complete -c ezio-cli -f -n '__fish_seen_subcommand_from help' -a '{}'\n",
                          command_names(commands));
    script +=
        fmt::format("complete -c ezio-cli -f -n '__fish_seen_subcommand_from completion' -a '{}'\n", shells);
    for (const DeclaredCommand& command : commands) {
        for (const CLI::Option* option : options_of(*command.app)) {
            script += fish_option(command.name, *option);
        }
    }
    return script;
}

} // namespace

std::string completion_script(const Commands& commands, const std::string& shell)
{
    if (shell == "bash") {
        return bash_script(commands);
    }
    if (shell == "zsh") {
        return zsh_script(commands);
    }
    if (shell == "fish") {
        return fish_script(commands);
    }
    throw Error(ExitStatus::usage, fmt::format("no completion for '{}'; expected bash, zsh or fish", shell));
}

} // namespace ezio

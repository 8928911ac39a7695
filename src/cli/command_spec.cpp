// SPDX-License-Identifier: GPL-2.0-or-later
#include "command_spec.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ezio {

void CommandSpec::argument(std::string argument_name, std::string& place, std::string_view help)
{
    arguments.push_back(
        {std::move(argument_name), std::string(help), [&place](const std::string& text) { place = text; }});
}

OptionSpec& CommandSpec::add(std::string_view names, std::string_view value_name, std::string_view help)
{
    OptionSpec& option = options.emplace_back();
    const std::size_t comma = names.find(',');
    if (comma != std::string_view::npos) {
        option.short_name = names.substr(0, comma);
        names.remove_prefix(comma + 1);
    }
    option.name = names;
    option.value_name = value_name;
    option.help = help;
    option.group = m_group;
    return option;
}

const OptionSpec* CommandSpec::find(std::string_view option_name) const
{
    const auto found = std::find_if(options.begin(), options.end(), [&](const OptionSpec& option) {
        return option.name == option_name || (!option.short_name.empty() && option.short_name == option_name);
    });
    return found != options.end() ? &*found : nullptr;
}

void CommandSpec::refuse_value(const std::string& name, const std::string& text, std::string_view valid)
{
    throw Error(ExitStatus::usage,
                fmt::format("{} {}: expected {}", name, text.empty() ? "''" : text, valid));
}

std::string usage_line(const CommandSpec& command)
{
    std::string line = fmt::format("ezio-cli {} [OPTIONS]", command.name);
    for (const ArgumentSpec& argument : command.arguments) {
        line += " " + argument.name;
    }
    for (const OptionSpec& option : command.options) {
        if (option.is_required) {
            line += fmt::format(" {} {}", option.short_name.empty() ? option.name : option.short_name,
                                option.value_name);
        }
    }
    return line;
}

} // namespace ezio

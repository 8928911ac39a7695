// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a command takes: its arguments and options, each declared once. Parsing, help and the completion for
// shells are all made from this, and the default in the help is the value that the option's variable has when
// it is declared.
//
// A declaration is one call, in the group of options that was begun last:
//     spec.value("--memory", options.memory, kind::memory, "For received and cached data");
//     spec.flag("--no-lsd", network.lsd, false, "No local service discovery (multicast)");
#pragma once

#include "ezio/util/error.hpp"
#include "option_kinds.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

struct OptionSpec {
    std::string short_name;   // "-o", or empty
    std::string name;         // "--output"
    std::string value_name;   // "FILE"; empty: a flag, which takes no value
    std::string valid;        // what a value has to be: "a size from 32M to 64G"
    std::string help;         // one sentence, without the default
    std::string default_text; // "256M" or words ("never"); empty: there is nothing to say
    std::string group;        // the heading that it is listed under
    bool is_required = false;
    bool is_repeatable = false; // grows a list; of others the last one counts
    Completes completes = Completes::nothing;
    std::function<void(const std::string&)> read; // takes the value. Throws Error (ExitStatus::usage)

    [[nodiscard]] bool is_flag() const { return value_name.empty(); }
};

struct ArgumentSpec {
    std::string name; // "TORRENT"
    std::string help;
    std::function<void(const std::string&)> read;
};

// The variables given to its functions are written to when the command line is read; they must live so long.
class CommandSpec {
  public:
    CommandSpec(std::string command_name, std::string one_line)
        : name(std::move(command_name)), summary(std::move(one_line))
    {}

    std::string name;                    // "fetch"
    std::string summary;                 // for the list of commands
    std::vector<ArgumentSpec> arguments; // all required; each may be a file
    std::vector<OptionSpec> options;
    std::vector<std::string> examples; // command lines

    // A heading for the options that are declared after this.
    void group(std::string title) { m_group = std::move(title); }

    void argument(std::string argument_name, std::string& place, std::string_view help);

    // `names` is "--output" or "-o,--output".
    template <typename Place>
    void flag(std::string_view names, Place& place, Place value, std::string_view help)
    {
        OptionSpec& option = add(names, "", help);
        option.read = [&place, value](const std::string&) { place = value; };
    }

    // `without` is what the help says of a place that has no value yet (an empty optional or text).
    template <typename Value>
    OptionSpec& value(std::string_view names, Value& place, const OptionKind<Value>& kind,
                      std::string_view help, std::string_view without = "")
    {
        OptionSpec& option = add_value(names, kind, help);
        const std::string shown = kind.show(place);
        option.default_text = shown.empty() ? std::string(without) : shown;
        option.read = reader(option.name, kind, [&place](Value value) { place = std::move(value); });
        return option;
    }

    template <typename Value>
    OptionSpec& value(std::string_view names, std::optional<Value>& place, const OptionKind<Value>& kind,
                      std::string_view help, std::string_view without)
    {
        OptionSpec& option = add_value(names, kind, help);
        option.default_text = place ? kind.show(*place) : std::string(without);
        option.read = reader(option.name, kind, [&place](Value value) { place = std::move(value); });
        return option;
    }

    // Each use adds one value.
    template <typename Value>
    OptionSpec& list(std::string_view names, std::vector<Value>& place, const OptionKind<Value>& kind,
                     std::string_view help)
    {
        OptionSpec& option = add_value(names, kind, help);
        option.is_repeatable = true;
        option.read = reader(option.name, kind, [&place](Value value) { place.push_back(std::move(value)); });
        return option;
    }

    void example(std::string command_line) { examples.push_back(std::move(command_line)); }

    // The option with this long or short name, or null.
    [[nodiscard]] const OptionSpec* find(std::string_view option_name) const;

  private:
    OptionSpec& add(std::string_view names, std::string_view value_name, std::string_view help);

    template <typename Value>
    OptionSpec& add_value(std::string_view names, const OptionKind<Value>& kind, std::string_view help)
    {
        OptionSpec& option = add(names, kind.name, help);
        option.valid = kind.valid;
        option.completes = kind.completes;
        return option;
    }

    template <typename Value, typename Store>
    static std::function<void(const std::string&)> reader(const std::string& name,
                                                          const OptionKind<Value>& kind, Store store)
    {
        return [name, kind, store](const std::string& text) {
            auto value = kind.parse(text);
            if (!value) {
                refuse_value(name, text, kind.valid);
            }
            store(*std::move(value));
        };
    }

    [[noreturn]] static void refuse_value(const std::string& name, const std::string& text,
                                          std::string_view valid);

    std::string m_group;
};

// "ezio-cli fetch [OPTIONS] TORRENT TARGET"
[[nodiscard]] std::string usage_line(const CommandSpec& command);

} // namespace ezio

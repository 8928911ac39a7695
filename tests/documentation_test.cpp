// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is written, in the help and in the man page, against what is done.
#include "ezio/command_line.hpp"

#include "catch.hpp"
#include "temp_dir.hpp"

#include "ezio/addresses.hpp"
#include "ezio/json_events.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <regex>
#include <sstream>

namespace ezio {

using test::contains;

namespace {

using Arguments = std::vector<std::string>;

const Arguments commands{"fetch", "seed", "create", "verify", "info"};

std::variant<CommandLine, HelpText> parse(const Arguments& arguments)
{
    std::vector<const char*> argv{"ezio-cli"};
    for (const std::string& argument : arguments) {
        argv.push_back(argument.c_str());
    }
    return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

std::string help_of(const Arguments& arguments)
{
    return std::get<HelpText>(parse(arguments)).text;
}

Arguments lines_of(const std::string& text)
{
    Arguments lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

// The long options of a command, each with what the help says about it.
std::map<std::string, std::string> options_of(const std::string& command)
{
    const std::regex option("^  (?:-\\w,)?(--[-\\w]+)(.*)$");
    std::map<std::string, std::string> options;
    std::string* last = nullptr;
    for (const std::string& line : lines_of(help_of({command, "--help"}))) {
        std::smatch match;
        if (std::regex_match(line, match, option)) {
            last = &(options[match[1]] = match[2]);
        } else if (last != nullptr) {
            *last += line; // goes on there
        }
    }
    return options;
}

// "256M" for "For received data; default: 256M, in all": the word that the default begins with.
std::string default_in(const std::string& text)
{
    std::smatch match;
    return std::regex_search(text, match, std::regex("[Dd]efault: ([^\\s,.]+)")) ? match[1].str() : "";
}

template <typename Duration>
std::string show(const std::optional<Duration>& time)
{
    return time ? fmt::format("{}", time->count()) : "";
}

// A list item of the man page.
struct ManEntry {
    std::string title; // with a space at the end
    std::string text;
};

std::vector<ManEntry> man_entries()
{
    std::vector<ManEntry> entries;
    for (const std::string& line : lines_of(test::read_file(EZIO_MAN_PAGE))) {
        if (line.starts_with(".It ")) {
            entries.push_back({line + " ", ""});
        } else if (!entries.empty()) {
            entries.back().text += line + "\n";
        }
    }
    return entries;
}

// An option that has a default, and how to see its value.
struct Documented {
    const char* command;
    const char* option;
    std::function<std::string(const Command&)> value;
};

template <typename Options>
std::vector<Documented> of_transfers(const char* command)
{
    const auto network = [](const Command& c) { return std::get<Options>(c).network; };
    return {
        {command, "--listen", [=](const Command& c) { return network(c).listen; }},
        {command, "--max-upload", [=](const Command& c) { return std::to_string(network(c).max_upload); }},
        {command, "--max-download",
         [=](const Command& c) { return std::to_string(network(c).max_download); }},
        {command, "--max-peers", [=](const Command& c) { return std::to_string(network(c).max_peers); }},
        {command, "--memory", [](const Command& c) { return std::to_string(std::get<Options>(c).memory); }},
        {command, "--seed-time",
         [](const Command& c) { return show(std::optional(std::get<Options>(c).seed_time)); }}};
}

std::vector<Documented> all_documented()
{
    std::vector<Documented> all = of_transfers<FetchOptions>("fetch");
    for (const Documented& of_seed : of_transfers<SeedOptions>("seed")) {
        all.push_back(of_seed);
    }
    all.push_back({"fetch", "--stall-timeout",
                   [](const Command& c) { return show(std::get<FetchOptions>(c).stall_timeout); }});
    all.push_back(
        {"fetch", "--timeout", [](const Command& c) { return show(std::get<FetchOptions>(c).timeout); }});
    all.push_back(
        {"fetch", "--verify", [](const Command& c) { return std::get<FetchOptions>(c).verify ? "on" : ""; }});
    all.push_back({"create", "--name", [](const Command& c) { return std::get<CreateOptions>(c).name; }});
    all.push_back(
        {"create", "--comment", [](const Command& c) { return std::get<CreateOptions>(c).comment; }});
    all.push_back({"create", "--ssl-ca", [](const Command& c) { return std::get<CreateOptions>(c).ssl_ca; }});
    return all;
}

Command parse_with(const std::string& command, const Arguments& options)
{
    Arguments arguments =
        command == "create" ? Arguments{command, "i", "-o", "t"} : Arguments{command, "t", "d"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return std::get<CommandLine>(parse(arguments)).command;
}

Command untouched(const std::string& command)
{
    if (command == "create") {
        return CreateOptions{};
    }
    return command == "seed" ? Command(SeedOptions{}) : Command(FetchOptions{});
}

} // namespace

TEST_CASE("help: there is one for the program, with all commands, and one for each command")
{
    const std::string general = help_of({"--help"});
    CHECK(general == help_of({"-h"}));
    for (const std::string& command : commands) {
        CHECK_THAT(general, contains("\n  " + command + " "));
        CHECK_THAT(help_of({command, "--help"}), contains("ezio-cli " + command));
        CHECK(help_of({command, "--help"}) == help_of({command, "-h"}));
    }
}

TEST_CASE("help: it is there whatever else stands on the command line")
{
    CHECK(help_of({"fetch", "t", "--help", "d"}) == help_of({"fetch", "--help"}));
    CHECK(help_of({"fetch", "--help", "--no-such-option"}) == help_of({"fetch", "--help"}));
}

TEST_CASE("help: no line is wider than 80 columns")
{
    std::string all = help_of({"--help"});
    for (const std::string& command : commands) {
        all += help_of({command, "--help"});
    }
    for (const std::string& line : lines_of(all)) {
        CAPTURE(line);
        CHECK(line.size() <= 80);
        CHECK_THAT(line, !contains("{")); // CLI11's own notation
    }
}

TEST_CASE("help: the version is asked for with --version")
{
    CHECK(help_of({"--version"}) == "ezio-cli " EZIO_VERSION "\n");
}

TEST_CASE("help: what is said about defaults is what happens without the option")
{
    for (const auto& [command, option, value] : all_documented()) {
        CAPTURE(command, option);
        const std::string said = default_in(options_of(command)[option]);
        REQUIRE_FALSE(said.empty());
        const std::string without = value(parse_with(command, {}));
        CHECK(without == value(untouched(command)));
        if (without.empty()) { // not a value, but a word for having none
            CHECK(std::count(said.begin(), said.end(), ' ') == 0);
            CHECK_THAT("never stay none off all that", contains(said));
        } else {
            CHECK(value(parse_with(command, {option, said})) == without);
        }
    }
}

TEST_CASE("help: every default that is named is looked at here")
{
    const auto documented = all_documented();
    for (const std::string& command : commands) {
        for (const auto& [option, text] : options_of(command)) {
            CAPTURE(command, option);
            const bool known = std::any_of(documented.begin(), documented.end(), [&](const Documented& d) {
                return d.command == command && d.option == option;
            });
            CHECK(known == !default_in(text).empty());
        }
    }
}

TEST_CASE("help: the ports that are tried are those of the program")
{
    CHECK_THAT(options_of("fetch")["--listen"], contains(fmt::format("{}-{}", first_port, last_port)));
}

TEST_CASE("man page: it has every option, with the default that the help says")
{
    const auto entries = man_entries();
    for (const std::string& command : commands) {
        for (const auto& [option, text] : options_of(command)) {
            const std::string said = default_in(text) == "that" ? "the" : default_in(text);
            CAPTURE(command, option, said);
            const std::string flag = " Fl Fl " + option.substr(2) + " ";
            CHECK(std::any_of(entries.begin(), entries.end(), [&](const ManEntry& entry) {
                return contains(flag).match(entry.title) &&
                       contains(said.empty() ? "" : "Default: " + said).match(entry.text);
            }));
        }
    }
}

TEST_CASE("man page: it has every event of --json, with all members")
{
    const Error io_error(IoFailure{});
    const auto entries = man_entries();
    for (const nlohmann::json& event :
         {to_json(StartEvent{}), to_json(ProgressEvent{}), to_json(PeerEvent{}), warning_to_json(""),
          to_json(CompleteEvent{}), to_json(SummaryEvent{}), to_json(io_error)}) {
        const std::string title = ".It " + event["event"].get<std::string>() + " ";
        CAPTURE(title);
        const auto entry =
            std::find_if(entries.begin(), entries.end(), [&](const ManEntry& e) { return e.title == title; });
        REQUIRE(entry != entries.end());
        for (const auto& [member, value] : event.items()) {
            CAPTURE(member);
            CHECK((member == "event" || std::regex_search(entry->text, std::regex("\\b" + member + "\\b"))));
        }
    }
}

TEST_CASE("man page: it has every exit status")
{
    const auto entries = man_entries();
    for (const ExitStatus status :
         {ExitStatus::done, ExitStatus::internal, ExitStatus::usage, ExitStatus::torrent, ExitStatus::target,
          ExitStatus::io, ExitStatus::network, ExitStatus::stalled, ExitStatus::verification,
          ExitStatus::interrupted, ExitStatus::terminated}) {
        const std::string title = fmt::format(".It {} ", static_cast<int>(status));
        CAPTURE(title);
        CHECK(std::any_of(entries.begin(), entries.end(),
                          [&](const ManEntry& entry) { return entry.title == title; }));
    }
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is written, in the help and in the man page, against what is done.
#include "cli/command_line.hpp"

#include "catch.hpp"
#include "parse_arguments.hpp"
#include "temp_dir.hpp"

#include "cli/declared_commands.hpp"
#include "cli/help_text.hpp"
#include "ezio/net/addresses.hpp"
#include "ezio/report/json_events.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

namespace ezio {

using test::Arguments;
using test::contains;
using test::parse_arguments;

namespace {

const Arguments commands{"fetch", "seed", "create", "verify", "info"};

std::string help_of(const Arguments& arguments)
{
    return std::get<HelpText>(parse_arguments(arguments)).text;
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

// "256M" for "256M" and "0" for "0, no limit": the word that a default begins with.
std::string first_word(const std::string& text)
{
    return text.substr(0, text.find_first_of(" ,"));
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

// The command with its required arguments and options and these.
Command parse_with(const DeclaredCommand& command, const Arguments& options)
{
    Arguments arguments{command.name};
    for (const CLI::Option* option : command.app->get_options()) {
        if (option->get_required()) {
            arguments.push_back(option->get_positional() ? "FILE" : option->get_name() + "=FILE");
        }
    }
    arguments.insert(arguments.end(), options.begin(), options.end());
    return std::get<CommandLine>(parse_arguments(arguments)).command;
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

TEST_CASE("help: every line is under 80 columns")
{
    std::string all = help_of({"--help"});
    for (const std::string& command : commands) {
        all += help_of({command, "--help"});
    }
    for (const std::string& line : lines_of(all)) {
        CAPTURE(line);
        CHECK(line.size() < 80);
    }
}

TEST_CASE("help: the version is asked for with --version")
{
    CHECK(help_of({"--version"}) == "ezio-cli " EZIO_VERSION "\n");
}

TEST_CASE("help: it has every option, with its default")
{
    for (const DeclaredCommand& command : declare_commands()) {
        const std::string help = std::regex_replace(help_of({"help", command.name}), std::regex("\\s+"), " ");
        for (const CLI::Option* option : options_of(*command.app)) {
            CAPTURE(command.name, option->get_name());
            const std::string said =
                option->get_default_str().empty() ? "" : "; default: " + option->get_default_str() + " ";
            CHECK_THAT(help, contains(" " + title_of(*option) + " "));
            CHECK_THAT(help, contains(option->get_description() +
                                      (is_repeatable(*option) ? "; may be repeated" : "") + said));
        }
    }
}

TEST_CASE("help: what is said about defaults is what happens without the option")
{
    const std::set<std::string> words_for_none{"never", "stay", "none", "off", "all", "that"};
    for (const DeclaredCommand& command : declare_commands()) {
        const Command without = parse_with(command, {});
        for (const CLI::Option* option : options_of(*command.app)) {
            CAPTURE(command.name, option->get_name(), option->get_default_str());
            const std::string said = first_word(option->get_default_str());
            if (!said.empty() && words_for_none.count(said) == 0) {
                CHECK(parse_with(command, {option->get_name() + "=" + said}) == without);
            }
        }
    }
}

TEST_CASE("help: the examples are command lines that can be read")
{
    for (const DeclaredCommand& command : declare_commands()) {
        CHECK_FALSE(command.app->get_footer().empty());
        for (const std::string& example : lines_of(command.app->get_footer())) {
            CAPTURE(example);
            std::istringstream stream(example);
            Arguments words{std::istream_iterator<std::string>(stream), {}};
            REQUIRE(words.size() > 2);
            CHECK(words[0] == "ezio-cli");
            CHECK(words[1] == command.name);
            CHECK_NOTHROW(std::get<CommandLine>(parse_arguments({words.begin() + 1, words.end()})));
        }
    }
}

TEST_CASE("help: the ports that are tried are those of the program")
{
    CHECK_THAT(help_of({"help", "fetch"}), contains(fmt::format("{}-{}", first_port, last_port)));
}

TEST_CASE("man page: it has every option, with the default that the help says")
{
    const auto entries = man_entries();
    for (const DeclaredCommand& command : declare_commands()) {
        for (const CLI::Option* option : options_of(*command.app)) {
            const std::string word = first_word(option->get_default_str());
            const std::string said = word == "that" ? "the" : word;
            CAPTURE(command.name, option->get_name(), said);
            const std::string flag = " Fl Fl " + option->get_name().substr(2) + " ";
            CHECK(std::any_of(entries.begin(), entries.end(), [&](const ManEntry& entry) {
                return contains(flag).match(entry.title) &&
                       contains(said.empty() ? "" : "Default: " + said).match(entry.text);
            }));
        }
    }
}

TEST_CASE("man page: it has no option that there is not")
{
    std::set<std::string> known{"--version"};
    for (const DeclaredCommand& command : declare_commands()) {
        for (const CLI::Option* option : options_of(*command.app)) {
            known.insert(option->get_name());
        }
    }
    const std::regex flag("\\bFl Fl ([-a-z]+)");
    const std::string text = test::read_file(EZIO_MAN_PAGE);
    for (std::sregex_iterator found(text.begin(), text.end(), flag), end; found != end; ++found) {
        CAPTURE(found->str());
        CHECK(known.count("--" + (*found)[1].str()) == 1);
    }
}

TEST_CASE("man page: the examples are command lines that can be read")
{
    std::string text = std::regex_replace(test::read_file(EZIO_MAN_PAGE), std::regex("\\\\e\n"), " ");
    const std::regex call("(?:^|[ /=])ezio-cli ((?:create|seed|fetch|verify|info) [^|&>]*)");
    bool literal = false;
    unsigned found = 0;
    for (const std::string& line : lines_of(text)) {
        literal = line.starts_with(".Bd") || (literal && !line.starts_with(".Ed"));
        std::smatch match;
        if (literal && std::regex_search(line, match, call)) {
            CAPTURE(line);
            std::istringstream stream(match[1].str());
            CHECK_NOTHROW(parse_arguments({std::istream_iterator<std::string>(stream), {}}));
            ++found;
        }
    }
    CHECK(found > 15);
}

TEST_CASE("man page: it has every event of --json, with all members")
{
    const Error io_error(IoFailure{});
    const auto entries = man_entries();
    for (const nlohmann::json& event :
         {to_json(StartEvent{}), to_json(ProgressEvent{}), to_json(PeerEvent{}), warning_to_json(""),
          note_to_json(""), client_to_json(ClientStatus{}), to_json(CompleteEvent{}), to_json(SummaryEvent{}),
          to_json(io_error)}) {
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
          ExitStatus::hung_up, ExitStatus::interrupted, ExitStatus::terminated}) {
        const std::string title = fmt::format(".It {} ", static_cast<int>(status));
        CAPTURE(title);
        CHECK(std::any_of(entries.begin(), entries.end(),
                          [&](const ManEntry& entry) { return entry.title == title; }));
    }
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/command_line.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace ezio {

namespace {

// A value that is kept as text by CLI11 and read by us, so that a bad one is reported in our words.
template <typename Value, typename Parse>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, Value& value, Parse parse, std::string_view valid,
                        const std::string& help)
{
    const auto read = [&value, parse, name, valid](const CLI::results_t& results) {
        const auto parsed = parse(results.back());
        if (!parsed) {
            throw Error(ExitStatus::usage, fmt::format("{} {}: expected {}", name, results.back(), valid));
        }
        value = *parsed;
        return true;
    };
    return app.add_option(name, read, help)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

template <typename Duration>
void add_duration(CLI::App& app, const std::string& name, Duration& value, const std::string& help)
{
    add_parsed(app, name, value, parse_duration, valid_durations, help)->type_name("DUR");
}

void add_rate(CLI::App& app, const std::string& name, std::uint64_t& value, const std::string& help)
{
    const auto parse = [](std::string_view text) {
        return parse_size(text.ends_with("/s") ? text.substr(0, text.size() - 2) : text);
    };
    add_parsed(app, name, value, parse, valid_sizes, help)->type_name("RATE");
}

std::optional<int> parse_peer_count(const std::string& text)
{
    const bool digits = !text.empty() && text.size() < 6 && text.find_first_not_of("0123456789") == std::string::npos;
    const int count = digits ? std::stoi(text) : 0;
    return count > 0 ? std::optional(count) : std::nullopt;
}

std::optional<std::uint64_t> parse_memory(std::string_view text)
{
    const auto size = parse_size(text);
    return size && *size >= 32_MiB && *size <= 64_GiB ? size : std::nullopt;
}

std::optional<std::string> parse_tracker(std::string_view text)
{
    for (const std::string_view scheme : {"http://", "https://", "udp://"}) {
        if (text.starts_with(scheme) && text.size() > scheme.size()) {
            return std::string(text);
        }
    }
    return std::nullopt;
}

void add_trackers(CLI::App& app, std::vector<std::string>& trackers, const std::string& help)
{
    const auto read = [&trackers](const CLI::results_t& results) {
        for (const std::string& text : results) {
            const auto tracker = parse_tracker(text);
            if (!tracker) {
                throw Error(ExitStatus::usage,
                            fmt::format("--tracker {}: expected a URL that begins with http://, https:// or udp://",
                                        text));
            }
            trackers.push_back(*tracker);
        }
        return true;
    };
    app.add_option("--tracker", read, help)->type_name("URL")->expected(1)->multi_option_policy(
        CLI::MultiOptionPolicy::TakeAll);
}

void add_network(CLI::App& app, NetworkOptions& network)
{
    app.add_option("--peer", network.peers, "Connect to this peer; may be repeated")
        ->type_name("HOST:PORT")
        ->expected(1)
        ->allow_extra_args(false) // or it takes what follows, TORRENT and TARGET too
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    add_trackers(app, network.trackers, "Announce to this tracker, too; may be repeated");
    app.add_flag_callback("--no-tracker", [&network] { network.torrent_trackers = false; },
                          "Leave out the torrent's own trackers");
    app.add_flag_callback("--no-lsd", [&network] { network.lsd = false; }, "No local service discovery (multicast)");
    app.add_option("--listen", network.listen, "Where to listen; default: all, ports 6881-6999")
        ->type_name("ADDR|IFACE[:PORT]");
    add_rate(app, "--max-upload", network.max_upload, "Bytes per second; default: 0, no limit");
    add_rate(app, "--max-download", network.max_download, "Bytes per second; default: 0, no limit");
    add_parsed(app, "--max-peers", network.max_peers, parse_peer_count, "a number from 1 to 99999",
               "Connections at most; default: 256")
        ->type_name("N");
}

void add_memory(CLI::App& app, std::uint64_t& memory)
{
    add_parsed(app, "--memory", memory, parse_memory, "a size from 32M to 64G",
               "For received and cached data; default: 256M")
        ->type_name("SIZE");
}

void add_output(CLI::App& app, OutputOptions& output)
{
    app.add_flag_callback("--json", [&output] { output.format = Format::json; }, "One JSON object per line on stdout");
    app.add_flag_callback("-q,--quiet", [&output] { output.verbosity = Verbosity::quiet; }, "Only errors");
    app.add_flag_callback("-v,--verbose", [&output] { output.verbosity = Verbosity::verbose; },
                          "Peers coming and going, too");
    app.add_flag_callback("--no-color", [&output] { output.color = Color::no; }, "No colours");
}

// One object for each command's options; CLI11 writes into them while it parses.
struct Parsed {
    OutputOptions output;
    CreateOptions create;
    SeedOptions seed;
    FetchOptions fetch;
    VerifyOptions verify;
    InfoOptions info;
};

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& help, Parsed& parsed)
{
    CLI::App* command = app.add_subcommand(name, help);
    add_output(*command, parsed.output);
    return command;
}

void add_torrent(CLI::App& command, std::string& torrent)
{
    command.add_option("TORRENT", torrent, "The torrent file")->required()->type_name("");
}

void add_place(CLI::App& command, const std::string& name, std::string& place)
{
    command.add_option(name, place, "Block device, image file or directory")->required()->type_name("");
}

void add_fetch(CLI::App& app, Parsed& parsed)
{
    FetchOptions& options = parsed.fetch;
    CLI::App& command = *add_command(app, "fetch", "Get the image, write, verify, sync; serve others", parsed);
    add_torrent(command, options.torrent);
    add_place(command, "TARGET", options.target);
    add_network(command, options.network);
    add_memory(command, options.memory);
    command.add_flag("--verify", options.verify, "Read it all back before it counts; default: off");
    add_duration(command, "--seed-time", options.seed_time,
                 "Then serve at most this long; default: 2m, 0: no");
    add_duration(command, "--stall-timeout", options.stall_timeout, "Give up when nothing moves; default: never");
    add_duration(command, "--timeout", options.timeout, "Give up when not complete by then; default: never");
}

void add_seed(CLI::App& app, Parsed& parsed)
{
    SeedOptions& options = parsed.seed;
    CLI::App& command = *add_command(app, "seed", "Serve an image that is already there", parsed);
    add_torrent(command, options.torrent);
    add_place(command, "SOURCE", options.source);
    add_network(command, options.network);
    add_memory(command, options.memory);
    add_duration(command, "--seed-time", options.seed_time, "Leave after this long; default: stay");
}

void add_create(CLI::App& app, Parsed& parsed)
{
    CreateOptions& options = parsed.create;
    CLI::App& command = *add_command(app, "create", "Make the torrent", parsed);
    command.add_option("SOURCE", options.source, "partclone's torrent.info")->required()->type_name("");
    command.add_option("-o,--output", options.output, "The torrent file to write")->required()->type_name("FILE");
    command.add_option("--name", options.name, "Its name; default: that of SOURCE's directory")
        ->type_name("NAME");
    add_trackers(command, options.trackers, "Name this tracker in the torrent; may be repeated");
    command.add_option("--comment", options.comment, "A comment for the torrent; default: none")->type_name("TEXT");
    command.add_option("--ssl-ca", options.ssl_ca, "Make an SSL torrent of this CA; default: none")
        ->type_name("FILE");
    command.add_flag("--date", options.date, "Note the time of creation in the torrent");
}

void add_commands(CLI::App& app, Parsed& parsed)
{
    add_fetch(app, parsed);
    add_seed(app, parsed);
    add_create(app, parsed);
    CLI::App& verify = *add_command(app, "verify", "Compare what is there with the torrent", parsed);
    add_torrent(verify, parsed.verify.torrent);
    add_place(verify, "TARGET", parsed.verify.target);
    CLI::App& info = *add_command(app, "info", "Show what is in a torrent", parsed);
    add_torrent(info, parsed.info.torrent);
}

Command chosen(const CLI::App& app, const Parsed& parsed)
{
    if (app.got_subcommand("fetch")) {
        return parsed.fetch;
    }
    if (app.got_subcommand("seed")) {
        return parsed.seed;
    }
    if (app.got_subcommand("create")) {
        return parsed.create;
    }
    if (app.got_subcommand("verify")) {
        return parsed.verify;
    }
    return parsed.info;
}

// The help of the command that was asked about, or of all.
std::string help_of(CLI::App& app)
{
    const auto commands = app.get_subcommands();
    return commands.empty() ? app.help() : commands.front()->help("ezio-cli");
}

// CLI11 would say no more than that a command is missing.
void refuse_unknown_command(const CLI::App& app, int argc, const char* const* argv)
{
    const std::string_view first = argc > 1 ? argv[1] : "";
    if (first.empty()) {
        throw Error(ExitStatus::usage, "no command given; expected fetch, seed, create, verify or info "
                                       "(see ezio-cli --help)");
    }
    const auto known = app.get_subcommands([&](const CLI::App* command) { return command->get_name() == first; });
    if (first[0] != '-' && known.empty()) {
        throw Error(ExitStatus::usage,
                    fmt::format("unknown command '{}'; expected fetch, seed, create, verify or info", first));
    }
}

} // namespace

std::variant<CommandLine, HelpText> parse_command_line(int argc, const char* const* argv)
{
    CLI::App app("Deploys disk images over a LAN with BitTorrent.", "ezio-cli");
    app.set_version_flag("--version", "ezio-cli " EZIO_VERSION);
    app.require_subcommand(1);
    app.get_formatter()->column_width(28); // help lines then fit 80 columns
    Parsed parsed;
    add_commands(app, parsed);
    refuse_unknown_command(app, argc, argv);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return HelpText{help_of(app)};
    } catch (const CLI::CallForVersion&) {
        return HelpText{"ezio-cli " EZIO_VERSION "\n"};
    } catch (const CLI::ParseError& error) {
        throw Error(ExitStatus::usage, fmt::format("{} (see ezio-cli --help)", error.what()));
    }
    return CommandLine{chosen(app, parsed), parsed.output};
}

OutputOptions output_options(int argc, const char* const* argv)
{
    OutputOptions output;
    const bool json = std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
    output.format = json ? Format::json : Format::text;
    return output;
}

} // namespace ezio

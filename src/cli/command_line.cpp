// SPDX-License-Identifier: GPL-2.0-or-later
//
// The commands and what they take; how a declaration reads is said in command_spec.hpp.
#include "command_line.hpp"

#include "command_parser.hpp"
#include "completion.hpp"
#include "ezio/compression/availability.hpp"
#include "ezio/net/addresses.hpp"
#include "help_text.hpp"
#include "suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace ezio {

namespace {

constexpr const char* torrent_help = "The torrent file or its URL";
constexpr const char* place_help = "A block device, an image file or a directory";

// Who may take part, and with what powers.
void add_admission(CommandSpec& spec, NetworkOptions& network)
{
    const kind::Text file = kind::text("FILE", Completes::files);
    spec.list("--allow", network.allow, kind::text("CIDR"), "Connect to and from this network only")
        .default_text = "all networks";
    spec.value("--ssl-cert", network.tls.certificate, file, "This host's certificate, for a private image");
    spec.value("--ssl-key", network.tls.key, file, "The key of --ssl-cert");
    spec.value("--ssl-dh", network.tls.dh, file, "Diffie-Hellman parameters, in place of the built-in ones");
    spec.value("--user", network.user, kind::text("NAME"), "Run as this user once the target is open");
}

void add_network(CommandSpec& spec, NetworkOptions& network)
{
    spec.group("Network");
    spec.list("--peer", network.peers, kind::text("HOST:PORT"), "Connect to this peer");
    spec.list("--tracker", network.trackers, kind::tracker, "Announce to this tracker, too");
    spec.flag("--no-tracker", network.torrent_trackers, false, "Leave out the torrent's own trackers");
    spec.flag("--web-seed", network.web_seeds, true,
              "Fetch from the torrent's web seeds (HTTP servers), too");
    spec.flag("--no-web-seed", network.web_seeds, false, "Leave them out; the default");
    spec.flag("--no-lsd", network.lsd, false, "No local service discovery (multicast)");
    spec.flag("--no-compression", network.compression, false, "Send and take every block as it is");
    spec.list("--listen", network.listen, kind::text("ADDR|IFACE[:PORT]"), "Where to listen").default_text =
        fmt::format("all addresses, the first free port of {}-{}", first_port, last_port);
    spec.value("--max-upload", network.max_upload, kind::rate, "Send at most this much per second");
    spec.value("--max-download", network.max_download, kind::rate, "Receive at most this much per second");
    spec.value("--max-peers", network.max_peers, kind::peer_count, "Connections at most");
    add_admission(spec, network);
}

void add_memory(CommandSpec& spec, std::uint64_t& memory, const char* what = "For received and cached data")
{
    spec.value("--memory", memory, kind::memory, what);
}

void add_output(CommandSpec& spec, CommandVariables& variables)
{
    OutputOptions& output = variables.output;
    spec.group("Output");
    spec.flag("--json", output.format, Format::json, "One JSON object per line on stdout");
    spec.value("--interval", output.interval, kind::duration,
               "Report progress this often, except on a terminal",
               fmt::format("{}, with --json {}", shortest_duration(plain_interval),
                           shortest_duration(json_interval)));
    spec.flag("-q,--quiet", output.verbosity, Verbosity::quiet, "Only errors");
    spec.flag("-v,--verbose", output.verbosity, Verbosity::verbose,
              "Also peers coming and going, decisions, retries");
    spec.flag("--no-color", output.color, Color::no, "No colours");
    spec.flag("-h,--help", variables.help, true, "This help");
}

CommandSpec describe_create(CommandVariables& variables)
{
    CreateOptions& options = variables.create;
    CommandSpec spec{"create", "Make the torrent"};
    spec.argument("SOURCE", options.source,
                  "A block device, an image file, a BT image directory, or partclone's torrent.info");
    spec.group("Torrent");
    spec.value("-o,--output", options.output, kind::text("FILE", Completes::files),
               "The torrent file to write")
        .is_required = true;
    spec.value("--name", options.name, kind::text("NAME"), "Its name", "that of SOURCE");
    spec.list("--tracker", options.trackers, kind::tracker, "Name this tracker in the torrent");
    spec.value("--comment", options.comment, kind::text("TEXT"), "A comment for the torrent", "none");
    spec.value("--ssl-ca", options.ssl_ca, kind::text("FILE", Completes::files),
               "Make an SSL torrent of this CA", "none");
    spec.flag("--date", options.date, true, "Note the time of creation in the torrent");
    spec.value("--piece-size", options.piece_length, kind::piece_length, "Bytes in a piece",
               "that which fits, 256K to 16M");
    spec.group("What is in the image");
    spec.flag("--all", options.all, true, "Every byte, not only the used blocks");
    spec.flag("--skip-holes", options.skip_holes, true, "With --all: leave out the holes of an image file");
    spec.value("--extents", options.extents, kind::text("FILE", Completes::files),
               "Only what this torrent.info or ddrescue map says");
    spec.flag("--force", options.force, true, "Also mounted for writing, or not left in order");
    spec.group("Work");
    add_memory(spec, options.memory, "Use no more than this");
    add_output(spec, variables);
    spec.example("ezio-cli create /dev/sda1 -o sda1.torrent");
    spec.example("ezio-cli create /dev/sda -o sda.torrent");
    spec.example("ezio-cli create sda1/torrent.info -o sda1.torrent");
    return spec;
}

CommandSpec describe_seed(CommandVariables& variables)
{
    SeedOptions& options = variables.seed;
    CommandSpec spec{"seed", "Serve an image that is already there"};
    spec.argument("TORRENT", options.torrent, torrent_help);
    spec.argument("SOURCE", options.source, place_help);
    spec.flag("--check", options.check, true, "Hash the source first; do not serve what is not the image");
    spec.group("When to leave");
    spec.value("--clients", options.clients, kind::peer_count, "Leave when so many clients have it all",
               "stay");
    spec.value("--idle-timeout", options.idle_timeout, kind::duration,
               "Leave when nothing was sent this long", "stay");
    spec.value("--seed-time", options.seed_time, kind::duration, "Leave after this long", "stay");
    add_network(spec, options.network);
    add_memory(spec, options.memory);
    add_output(spec, variables);
    spec.example("ezio-cli seed sda1.torrent /dev/sda1");
    return spec;
}

CommandSpec describe_fetch(CommandVariables& variables)
{
    FetchOptions& options = variables.fetch;
    CommandSpec spec{"fetch", "Get the image, verify, write, sync; then serve it"};
    spec.argument("TORRENT", options.torrent, "The torrent file, its URL, or a magnet link");
    spec.argument("TARGET", options.target, place_help);
    spec.group("Target");
    spec.flag("--resume", options.resume, true, "Keep what is right on the target already");
    spec.flag("--verify", options.verify, true, "Read it all back from the medium before it counts");
    spec.flag("--discard", options.discard, true, "Discard (TRIM) what the image does not use");
    spec.flag("--expand-gpt", options.expand_gpt, true, "Move the copy of a GPT to the end of a larger disk");
    spec.flag("--keep-signatures", options.keep_signatures, true,
              "Leave signatures of what was there before (RAID, ZFS)");
    spec.value("--serial", options.serial, kind::text("S"),
               "Refuse any other disk than that of this serial or WWN", "none");
    spec.value("--save-torrent", options.save_torrent, kind::text("FILE", Completes::files),
               "Keep the torrent in this file, too", "none");
    spec.group("When to leave");
    spec.value("--seed-time", options.seed_time, kind::duration,
               "When complete, serve others at most this long");
    spec.value("--stall-timeout", options.stall_timeout, kind::duration,
               "Give up when nothing moves this long", "never");
    spec.value("--timeout", options.timeout, kind::duration, "Give up when not complete by then", "never");
    add_network(spec, options.network);
    add_memory(spec, options.memory);
    add_output(spec, variables);
    spec.example("ezio-cli fetch sda1.torrent /dev/sda1");
    spec.example("ezio-cli fetch sda1.torrent /dev/sda1 --peer master:6881 --timeout 1h");
    return spec;
}

CommandSpec describe_verify(CommandVariables& variables)
{
    VerifyOptions& options = variables.verify;
    CommandSpec spec{"verify", "Compare what is there with the torrent"};
    spec.argument("TORRENT", options.torrent, torrent_help);
    spec.argument("TARGET", options.target, place_help);
    add_output(spec, variables);
    spec.example("ezio-cli verify sda1.torrent /dev/sda1");
    return spec;
}

CommandSpec describe_info(CommandVariables& variables)
{
    CommandSpec spec{"info", "Show what is in a torrent"};
    spec.argument("TORRENT", variables.info.torrent, torrent_help);
    spec.flag("--magnet", variables.info.magnet, true, "Print a magnet link instead");
    add_output(spec, variables);
    spec.example("ezio-cli info sda1.torrent");
    return spec;
}

// What was read for this command.
Command command_named(std::string_view name, const CommandVariables& variables)
{
    if (name == "create") {
        return variables.create;
    }
    if (name == "seed") {
        return variables.seed;
    }
    if (name == "fetch") {
        return variables.fetch;
    }
    if (name == "verify") {
        return variables.verify;
    }
    return variables.info;
}

// Throws Error when there is no such command.
const CommandSpec& find_command(const std::vector<CommandSpec>& all, const std::string& name)
{
    std::vector<std::string> names;
    for (const CommandSpec& command : all) {
        if (command.name == name) {
            return command;
        }
        names.push_back(command.name);
    }
    const auto meant = nearest(name, names);
    throw Error(ExitStatus::usage, fmt::format("unknown command '{}'; {}", name,
                                               meant ? fmt::format("did you mean {}?", *meant)
                                                     : fmt::format("expected {}", fmt::join(names, ", "))));
}

bool asks_for_help(const std::vector<std::string>& words)
{
    const auto end = std::find(words.begin(), words.end(), "--");
    return std::any_of(words.begin(), end,
                       [](const std::string& word) { return word == "-h" || word == "--help"; });
}

// What is asked for in place of a command, if it is.
std::optional<std::string> instead_of_command(const std::vector<CommandSpec>& all, const std::string& first,
                                              const std::vector<std::string>& rest)
{
    if (first == "--version") {
        return compression_is_built_in() ? "ezio-cli " EZIO_VERSION "\n"
                                         : "ezio-cli " EZIO_VERSION " (without compression)\n";
    }
    const bool of_a_command = !rest.empty() && rest[0] != "help" && !rest[0].starts_with('-');
    if (first == "-h" || first == "--help" || (first == "help" && !of_a_command)) {
        return general_help(all);
    }
    if (first == "help") {
        return rest[0] == "completion" ? completion_help() : command_help(find_command(all, rest[0]));
    }
    if (first == "completion" && asks_for_help(rest)) {
        return completion_help();
    }
    if (first == "completion") {
        return completion_script(all, rest.empty() ? "" : rest[0]);
    }
    if (first.starts_with('-')) {
        throw Error(ExitStatus::usage,
                    fmt::format("{} stands before a command; usage: ezio-cli COMMAND [OPTIONS] "
                                "ARGUMENTS (see ezio-cli --help)",
                                first));
    }
    return std::nullopt;
}

} // namespace

std::vector<CommandSpec> describe_commands(CommandVariables& variables)
{
    return {describe_create(variables), describe_seed(variables), describe_fetch(variables),
            describe_verify(variables), describe_info(variables)};
}

std::variant<CommandLine, HelpText> parse_command_line(int argc, const char* const* argv)
{
    CommandVariables variables;
    const auto all = describe_commands(variables);
    if (argc < 2) {
        throw Error(ExitStatus::usage, "no command given; expected create, seed, fetch, verify or info "
                                       "(see ezio-cli --help)");
    }
    const std::string first = argv[1];
    const std::vector<std::string> rest(argv + 2, argv + argc);
    if (const auto text = instead_of_command(all, first, rest)) {
        return HelpText{*text};
    }
    const CommandSpec& command = find_command(all, first);
    if (asks_for_help(rest)) {
        return HelpText{command_help(command)};
    }
    parse(command, rest, all);
    if (variables.help) {
        return HelpText{command_help(command)};
    }
    return CommandLine{command_named(command.name, variables), variables.output};
}

OutputOptions output_options(int argc, const char* const* argv)
{
    const auto given = [&](std::string_view option) {
        return std::find(argv, argv + argc, option) != argv + argc;
    };
    OutputOptions output;
    output.format = given("--json") ? Format::json : Format::text;
    output.color = given("--no-color") ? Color::no : Color::yes;
    return output;
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "declared_commands.hpp"

#include "ezio/net/addresses.hpp"
#include "option_kinds.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <type_traits>
#include <utility>

namespace ezio {

namespace {

// Calls `store` with each value as it is parsed, so that the last of several counts.
// The validator's name describes the valid values.
template <typename Value, typename Store>
CLI::Option* add_stored(CLI::App& app, const std::string& names, const OptionKind<Value>& kind,
                        const std::string& help, Store store)
{
    const auto read = [parse = kind.parse, store](const CLI::results_t& given) {
        store(*parse(given.front()));
        return true;
    };
    const auto flaw = [kind](const std::string& text) {
        return kind.parse(text) ? "" : fmt::format("{}: expected {}", text.empty() ? "''" : text, kind.valid);
    };
    return app.add_option(names, read, help)
        ->type_name(std::string(kind.name))
        ->check(flaw, "", std::string(kind.valid))
        ->trigger_on_parse();
}

// The value in `place` is the default that the help shows. An empty optional has none, but may get a text.
template <typename Place, typename Value>
CLI::Option* add_value(CLI::App& app, const std::string& names, Place& place, const OptionKind<Value>& kind,
                       const std::string& help)
{
    CLI::Option* const option =
        add_stored(app, names, kind, help, [&place](Value value) { place = std::move(value); });
    if constexpr (std::is_same_v<Place, Value>) {
        option->default_str(kind.show(place));
    }
    return option;
}

// Each use of the option adds one value.
template <typename Value>
CLI::Option* add_list(CLI::App& app, const std::string& names, std::vector<Value>& place,
                      const OptionKind<Value>& kind, const std::string& help)
{
    return add_stored(app, names, kind, help, [&place](Value value) { place.push_back(std::move(value)); })
        ->take_all();
}

template <typename Place>
void add_flag(CLI::App& app, const std::string& names, Place& place, Place value, const std::string& help)
{
    app.add_flag_callback(
           names, [&place, value] { place = value; }, help)
        ->trigger_on_parse();
}

void begin_group(CLI::App& app, const std::string& heading)
{
    app.option_defaults()->group(heading);
}

void add_argument(CLI::App& app, const std::string& name, std::string& place, const std::string& help)
{
    app.add_option(name, place, help)->required();
}

constexpr const char* torrent_help = "A torrent file or its URL";
constexpr const char* place_help = "A block device, an image file or a directory";

// Which peers may take part, and which user to run as.
void add_admission(CLI::App& app, NetworkOptions& network)
{
    const kind::Text file = kind::text("FILE");
    add_list(app, "--allow", network.allow, kind::text("CIDR"), "Connect only with peers in this network")
        ->default_str("all networks");
    add_value(app, "--ssl-cert", network.tls.certificate, file,
              "This host's certificate, for a private image");
    add_value(app, "--ssl-key", network.tls.key, file, "The key of --ssl-cert");
    add_value(app, "--ssl-dh", network.tls.dh, file,
              "Diffie-Hellman parameters, in place of the built-in ones");
    add_value(app, "--user", network.user, kind::text("NAME"), "Run as this user once the target is open");
}

void add_network(CLI::App& app, NetworkOptions& network)
{
    begin_group(app, "Network");
    add_list(app, "--peer", network.peers, kind::text("HOST:PORT"), "Connect to this peer");
    add_list(app, "--tracker", network.trackers, kind::tracker, "Also announce to this tracker");
    add_flag(app, "--no-tracker", network.torrent_trackers, false, "Ignore the torrent's own trackers");
    add_flag(app, "--web-seed", network.web_seeds, true,
             "Also fetch from the torrent's web seeds (HTTP servers)");
    add_flag(app, "--no-web-seed", network.web_seeds, false, "Ignore them; the default");
    add_flag(app, "--no-lsd", network.lsd, false, "No local service discovery (multicast)");
    add_flag(app, "--no-compression", network.compression, false, "Send and accept only plain blocks");
    add_list(app, "--listen", network.listen, kind::text("ADDR|IFACE[:PORT]"), "Where to listen")
        ->default_str(fmt::format("all addresses, the first free port of {}-{}", first_port, last_port));
    add_value(app, "--max-upload", network.max_upload, kind::rate, "Send at most this much per second");
    add_value(app, "--max-download", network.max_download, kind::rate,
              "Receive at most this much per second");
    add_value(app, "--max-peers", network.max_peers, kind::peer_count, "Maximum number of connections");
    add_admission(app, network);
}

void add_memory(CLI::App& app, std::uint64_t& memory,
                const char* what = "Memory for received and cached data")
{
    add_value(app, "--memory", memory, kind::memory, what);
}

void add_output(CLI::App& app, OutputOptions& output)
{
    begin_group(app, "Output");
    add_flag(app, "--json", output.format, Format::json, "One JSON object per line on stdout");
    add_value(app, "--interval", output.interval, kind::duration,
              "Report progress this often, except on a terminal")
        ->default_str(fmt::format("{}, with --json {}", shortest_duration(plain_interval),
                                  shortest_duration(json_interval)));
    add_flag(app, "-q,--quiet", output.verbosity, Verbosity::quiet, "Only errors");
    add_flag(app, "-v,--verbose", output.verbosity, Verbosity::verbose,
             "Also peers that come and go, decisions, retries");
    add_flag(app, "--no-color", output.color, Color::no, "No colours");
    app.set_help_flag("-h,--help", "This help");
}

void add_create(CLI::App& app, CreateOptions& options)
{
    add_argument(app, "SOURCE", options.source,
                 "A block device, an image file, a BT image directory, or partclone's torrent.info");
    begin_group(app, "Torrent");
    add_value(app, "-o,--output", options.output, kind::text("FILE"), "The torrent file to write")
        ->required();
    add_value(app, "--name", options.name, kind::text("NAME"), "Its name")->default_str("that of SOURCE");
    add_list(app, "--tracker", options.trackers, kind::tracker, "Name this tracker in the torrent");
    add_value(app, "--comment", options.comment, kind::text("TEXT"), "A comment for the torrent")
        ->default_str("none");
    add_value(app, "--ssl-ca", options.ssl_ca, kind::text("FILE"),
              "Make an SSL torrent for peers with certificates of this CA")
        ->default_str("none");
    add_flag(app, "--date", options.date, true, "Record the time of creation in the torrent");
    add_value(app, "--piece-size", options.piece_length, kind::piece_length, "Bytes in a piece")
        ->default_str("that which fits, 256K to 16M");
    begin_group(app, "What is in the image");
    add_flag(app, "--all", options.all, true, "Take every byte, not only the used blocks");
    add_flag(app, "--skip-holes", options.skip_holes, true,
             "With --all: leave out the holes of an image file");
    add_value(app, "--extents", options.extents, kind::text("FILE"),
              "Take only the extents of this torrent.info or ddrescue map");
    add_flag(app, "--force", options.force, true,
             "Take the source even if it is mounted for writing or not clean");
    begin_group(app, "Work");
    add_memory(app, options.memory, "Use at most this much memory");
    app.footer("  ezio-cli create /dev/sda1 -o sda1.torrent\n"
               "  ezio-cli create /dev/sda -o sda.torrent\n"
               "  ezio-cli create sda1/torrent.info -o sda1.torrent\n");
}

void add_seed(CLI::App& app, SeedOptions& options)
{
    add_argument(app, "TORRENT", options.torrent, torrent_help);
    add_argument(app, "SOURCE", options.source, place_help);
    add_flag(app, "--check", options.check, true, "Hash the source first; serve it only if it is the image");
    begin_group(app, "When to leave");
    add_value(app, "--clients", options.clients, kind::peer_count,
              "Leave when this many clients are complete")
        ->default_str("stay");
    add_value(app, "--idle-timeout", options.idle_timeout, kind::duration,
              "Leave when nothing was sent for this long")
        ->default_str("stay");
    add_value(app, "--seed-time", options.seed_time, kind::duration, "Leave after this long")
        ->default_str("stay");
    add_network(app, options.network);
    add_memory(app, options.memory);
    begin_group(app, "Output");
    add_value(app, "--report", options.report, kind::text("FILE"),
              "Keep the list of clients in this file, as JSON")
        ->default_str("none");
    app.footer("  ezio-cli seed sda1.torrent /dev/sda1\n"
               "  ezio-cli seed sda1.torrent /dev/sda1 --clients 30 --idle-timeout 10m\n");
}

void add_fetch(CLI::App& app, FetchOptions& options)
{
    add_argument(app, "TORRENT", options.torrent, "A torrent file, its URL, or a magnet link");
    add_argument(app, "TARGET", options.target, place_help);
    begin_group(app, "Target");
    add_flag(app, "--resume", options.resume, true, "Keep pieces that are already right on the target");
    add_flag(app, "--verify", options.verify, true, "Read everything back from the medium before completing");
    add_flag(app, "--discard", options.discard, true, "Discard (TRIM) what the image does not use");
    add_flag(app, "--expand-gpt", options.expand_gpt, true,
             "Move the copy of a GPT to the end of a larger disk");
    add_flag(app, "--keep-signatures", options.keep_signatures, true,
             "Leave signatures of earlier contents (RAID, ZFS)");
    add_value(app, "--serial", options.serial, kind::text("S"),
              "Refuse any disk without this serial number or WWN")
        ->default_str("none");
    add_value(app, "--save-torrent", options.save_torrent, kind::text("FILE"),
              "Also save the torrent to this file")
        ->default_str("none");
    begin_group(app, "When to leave");
    add_value(app, "--seed-time", options.seed_time, kind::duration,
              "When complete, serve others for at most this long");
    add_value(app, "--stall-timeout", options.stall_timeout, kind::duration,
              "Give up when nothing moves for this long")
        ->default_str("never");
    add_value(app, "--timeout", options.timeout, kind::duration, "Give up when not complete after this long")
        ->default_str("never");
    add_network(app, options.network);
    add_flag(app, "--no-report", options.report, false, "Do not report to seeders");
    add_value(app, "--report-as", options.report_as, kind::text("NAME"), "Report under this name")
        ->default_str("that of the host");
    add_memory(app, options.memory);
    app.footer("  ezio-cli fetch sda1.torrent /dev/sda1\n"
               "  ezio-cli fetch sda1.torrent /dev/sda1 --peer master:6881 --timeout 1h\n");
}

void add_verify(CLI::App& app, VerifyOptions& options)
{
    add_argument(app, "TORRENT", options.torrent, torrent_help);
    add_argument(app, "TARGET", options.target, place_help);
    app.footer("  ezio-cli verify sda1.torrent /dev/sda1\n");
}

void add_info(CLI::App& app, InfoOptions& options)
{
    add_argument(app, "TORRENT", options.torrent, torrent_help);
    add_flag(app, "--magnet", options.magnet, true, "Print a magnet link instead");
    app.footer("  ezio-cli info sda1.torrent\n");
}

// `add_options` declares the command's own options; the output options are common to all.
template <typename Options>
DeclaredCommand declare(const std::string& name, const std::string& summary,
                        void (*add_options)(CLI::App&, Options&))
{
    DeclaredCommand command{name, std::make_shared<CLI::App>(summary, name),
                            std::make_shared<CommandLine>(CommandLine{Options{}, {}})};
    command.app->set_help_flag(); // it comes last
    add_options(*command.app, std::get<Options>(command.read->command));
    add_output(*command.app, command.read->output);
    return command;
}

} // namespace

std::vector<DeclaredCommand> declare_commands()
{
    return {declare("create", "Make a torrent of a disk", add_create),
            declare("seed", "Serve an existing image", add_seed),
            declare("fetch", "Download, verify and write the image; then serve it", add_fetch),
            declare("verify", "Compare a target with its torrent", add_verify),
            declare("info", "Show the contents of a torrent", add_info)};
}

} // namespace ezio

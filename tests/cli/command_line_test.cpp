// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command_line.hpp"

#include "expect_error.hpp"
#include "parse_arguments.hpp"

#include <iterator>
#include <sstream>

namespace ezio {

using namespace std::chrono_literals;
using test::Arguments;
using test::contains;
using test::parse_arguments;
using test::refusal_of;

namespace {

Arguments words(const std::string& text)
{
    std::istringstream stream(text);
    return {std::istream_iterator<std::string>(stream), {}};
}

CommandLine parse(const Arguments& arguments)
{
    return std::get<CommandLine>(parse_arguments(arguments));
}

// The options of the command that the arguments are for.
template <typename Options>
Options parse_as(const Arguments& arguments)
{
    return std::get<Options>(parse(arguments).command);
}

FetchOptions parse_fetch(Arguments options)
{
    options.insert(options.begin(), {"fetch", "t", "d"});
    return parse_as<FetchOptions>(options);
}

std::string usage_error(const Arguments& arguments)
{
    CAPTURE(arguments);
    const auto refusal = refusal_of([&] { (void)parse_arguments(arguments); });
    CHECK(refusal.status == ExitStatus::usage);
    return refusal.message;
}

void check_value_refused(const std::string& option, const Arguments& bad_values, const std::string& valid)
{
    for (const std::string& value : bad_values) {
        CHECK(usage_error({"fetch", "t", "d", option + "=" + value}) ==
              option + " " + value + ": expected " + valid);
    }
}

OutputOptions output_of(Arguments arguments)
{
    arguments.insert(arguments.begin(), {"ezio-cli"});
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) {
        argv.push_back(argument.c_str());
    }
    return output_options(static_cast<int>(argv.size()), argv.data());
}

} // namespace

TEST_CASE("command line: every command takes what it needs")
{
    const auto fetch = parse_as<FetchOptions>({"fetch", "sda1.torrent", "/dev/sda1"});
    CHECK(fetch.torrent == "sda1.torrent");
    CHECK(fetch.target == "/dev/sda1");
    const auto seed = parse_as<SeedOptions>({"seed", "sda1.torrent", "/dev/sda1"});
    CHECK(seed.torrent == "sda1.torrent");
    CHECK(seed.source == "/dev/sda1");
    const auto create = parse_as<CreateOptions>({"create", "torrent.info", "-o", "sda1.torrent"});
    CHECK(create.source == "torrent.info");
    CHECK(create.output == "sda1.torrent");
    const auto verify = parse_as<VerifyOptions>({"verify", "sda1.torrent", "/dev/sda1"});
    CHECK(verify.torrent == "sda1.torrent");
    CHECK(verify.target == "/dev/sda1");
    CHECK(parse_as<InfoOptions>({"info", "sda1.torrent"}).torrent == "sda1.torrent");
}

TEST_CASE("command line: fetch has the network, the memory and the times")
{
    const FetchOptions options = parse_fetch(
        words("--peer 10.0.0.1:6881 --tracker http://a/announce --no-tracker --no-lsd --verify"
              " --listen eth0:7000 --max-upload 10M --max-download 20MiB/s --max-peers 7 --memory 1G"
              " --seed-time 90s --stall-timeout 10m --timeout 2h"));
    CHECK(options.network.peers == Arguments{"10.0.0.1:6881"});
    CHECK(options.network.trackers == Arguments{"http://a/announce"});
    CHECK_FALSE(options.network.torrent_trackers);
    CHECK_FALSE(options.network.lsd);
    CHECK(options.network.listen == std::vector<std::string>{"eth0:7000"});
    CHECK(options.network.max_upload == 10_MiB);
    CHECK(options.network.max_download == 20_MiB);
    CHECK(options.network.max_peers == 7);
    CHECK(options.memory == 1_GiB);
    CHECK(options.verify);
    CHECK(options.seed_time == 90s);
    CHECK(options.stall_timeout == std::optional(10min));
    CHECK(options.timeout == std::optional(2h));
}

TEST_CASE("command line: seed has the network, the memory and reasons to leave")
{
    const auto options = parse_as<SeedOptions>(words("seed t d --max-upload 0 --peer a:1 --no-lsd --memory "
                                                     "32M --seed-time 0 --idle-timeout 10m --clients 30"));
    CHECK(options.network.max_upload == 0);
    CHECK(options.network.peers == Arguments{"a:1"});
    CHECK_FALSE(options.network.lsd);
    CHECK(options.memory == 32_MiB);
    CHECK(options.seed_time == std::optional(0ms));
    CHECK(options.idle_timeout == std::optional(10min));
    CHECK(options.clients == 30);
}

TEST_CASE("command line: create finds out what to take unless it is told")
{
    const auto plain = parse_as<CreateOptions>({"create", "i", "-o", "t"});
    CHECK_FALSE((plain.all || plain.skip_holes || plain.force || plain.piece_length));
    const auto told = parse_as<CreateOptions>({"create", "i", "-o", "t", "--all", "--skip-holes", "--force",
                                               "--extents", "map", "--piece-size", "1M", "--memory", "64M"});
    CHECK((told.all && told.skip_holes && told.force));
    CHECK(told.extents == "map");
    CHECK(told.piece_length == 1_MiB);
    CHECK(told.memory == 64_MiB);
}

TEST_CASE("command line: a piece size is a power of two that a torrent can have")
{
    for (const std::string bad : {"0", "8K", "100K", "128M", "3M", "big"}) {
        CHECK(usage_error({"create", "i", "-o", "t", "--piece-size", bad}) ==
              "--piece-size " + bad + ": expected a power of two from 16K to 64M");
    }
}

TEST_CASE("command line: create has what goes into the torrent")
{
    const auto options =
        parse_as<CreateOptions>({"create", "i", "--output=t", "--name", "sda1", "--comment", "Lab 3",
                                 "--tracker", "udp://b:1/", "--tracker", "https://a/announce"});
    CHECK(options.output == "t");
    CHECK(options.name == "sda1");
    CHECK(options.comment == "Lab 3");
    CHECK(options.trackers == Arguments{"udp://b:1/", "https://a/announce"});
    CHECK(parse_as<CreateOptions>({"create", "i", "-ot"}).output == "t");
}

TEST_CASE("command line: every command says how to report")
{
    for (Arguments arguments : {Arguments{"fetch", "t", "d"},
                                {"seed", "t", "d"},
                                {"create", "i", "-o", "t"},
                                {"verify", "t", "d"},
                                {"info", "t"}}) {
        const OutputOptions plain = parse(arguments).output;
        CHECK(plain.format == Format::text);
        CHECK(plain.verbosity == Verbosity::normal);
        CHECK(plain.color == Color::yes);
        arguments.insert(arguments.end(), {"--json", "--quiet", "--no-color"});
        const OutputOptions changed = parse(arguments).output;
        CHECK(changed.format == Format::json);
        CHECK(changed.verbosity == Verbosity::quiet);
        CHECK(changed.color == Color::no);
    }
    CHECK(parse({"info", "t", "-q"}).output.verbosity == Verbosity::quiet);
    CHECK(parse({"info", "t", "-v"}).output.verbosity == Verbosity::verbose);
    CHECK(parse({"info", "t", "--verbose"}).output.verbosity == Verbosity::verbose);
}

TEST_CASE("command line: options stand before, between and after the arguments")
{
    for (const Arguments& arguments : {Arguments{"fetch", "--peer", "a:1", "--memory", "64M", "t", "d"},
                                       {"fetch", "t", "--peer", "a:1", "d", "--memory", "64M"},
                                       {"fetch", "t", "d", "--memory=64M", "--peer=a:1"}}) {
        const auto options = parse_as<FetchOptions>(arguments);
        CHECK(options.torrent == "t");
        CHECK(options.target == "d");
        CHECK(options.network.peers == Arguments{"a:1"});
        CHECK(options.memory == 64_MiB);
    }
}

TEST_CASE("command line: lists grow with each repetition, of other values the last one counts")
{
    const FetchOptions options =
        parse_fetch(words("--peer a:1 --tracker http://a --memory 64M --timeout 1s --no-lsd"
                          " --peer b:2 --tracker http://b --memory 128M --timeout 2s --no-lsd"));
    CHECK(options.network.peers == Arguments{"a:1", "b:2"});
    CHECK(options.network.trackers == Arguments{"http://a", "http://b"});
    CHECK(options.memory == 128_MiB);
    CHECK(options.timeout == std::optional(2s));
}

TEST_CASE("command line: files may be called like commands and options")
{
    const auto fetch = parse_as<FetchOptions>({"fetch", "info", "seed"});
    CHECK(fetch.torrent == "info");
    CHECK(fetch.target == "seed");
    CHECK(parse_as<InfoOptions>({"info", "--", "--json"}).torrent == "--json");
    CHECK(parse_as<CreateOptions>({"create", "i", "-o", "t", "--comment=--x"}).comment == "--x");
}

TEST_CASE("command line: a bad value is refused with the option, the value and what is valid")
{
    const std::string duration = "seconds or a number with ms, s, m, h or d, as in 90s";
    const std::string size = "bytes or a number with K, M, G or T (1024-based), as in 256M";
    for (const char* option : {"--seed-time", "--stall-timeout", "--timeout"}) {
        check_value_refused(option, {"3x", "soon", "-1s", "1.5.2h", "99999d"}, duration);
    }
    for (const char* option : {"--max-upload", "--max-download"}) {
        check_value_refused(option, {"fast", "-1", "10Q", "10M/h", "/s"}, size);
    }
    check_value_refused("--memory", {"12Q", "-5M", "31M", "65G", "0", "lots"}, "a size from 32M to 64G");
    check_value_refused("--max-peers", {"0", "-1", "100000", "many", "1.5", "+5"},
                        "a number from 1 to 99999");
    check_value_refused("--tracker", {"a", "ftp://a", "http://", "HTTP://a", "10.0.0.1:6969"},
                        "a URL that begins with http://, https:// or udp://");
}

TEST_CASE("command line: each of several trackers is looked at")
{
    CHECK_THAT(usage_error({"create", "i", "-o", "t", "--tracker", "http://a", "--tracker", "b"}),
               contains("--tracker b: "));
}

TEST_CASE("command line: an option without its value is refused by its name")
{
    for (const std::string option :
         {"--peer", "--tracker", "--listen", "--max-upload", "--memory", "--seed-time", "--timeout"}) {
        for (const Arguments& end : {Arguments{option}, {option + "="}, {option + "=", "--json"}}) {
            Arguments arguments{"fetch", "t", "d"};
            arguments.insert(arguments.end(), end.begin(), end.end());
            CHECK_THAT(usage_error(arguments), contains(option + " has no value; expected "));
        }
    }
    CHECK(usage_error({"create", "i", "-o"}) == "--output has no value; expected FILE");
    CHECK(usage_error({"fetch", "t", "d", "--memory"}) ==
          "--memory has no value; expected a size from 32M to 64G");
}

TEST_CASE("command line: an empty value is refused, where it stands alone too")
{
    CHECK(usage_error({"fetch", "t", "d", "--listen", ""}) == "--listen '': expected ADDR|IFACE[:PORT]");
    CHECK_THAT(usage_error({"fetch", "t", "d", "--timeout", ""}), contains("--timeout '': expected seconds"));
}

TEST_CASE("command line: a flag with a value is refused")
{
    for (const std::string word : {"--json=1", "--json=", "--quiet=true", "-v=3", "--no-lsd=yes"}) {
        CHECK_THAT(usage_error({"fetch", "t", "d", word}), contains(" takes no value"));
    }
    CHECK(parse_as<InfoOptions>({"info", "--", "--json=1"}).torrent == "--json=1");
}

TEST_CASE("command line: no command, or one that does not exist, is refused with those that do")
{
    CHECK(usage_error({}) ==
          "no command given; expected create, seed, fetch, verify or info (see ezio-cli --help)");
    for (const std::string word : {"destroy", "x", "sda1.torrent", ""}) {
        CHECK(usage_error({word, "x"}) ==
              "unknown command '" + word + "'; expected create, seed, fetch, verify, info");
    }
}

TEST_CASE("command line: for a mistyped command the one that was meant is suggested")
{
    CHECK(usage_error({"fecth", "t", "d"}) == "unknown command 'fecth'; did you mean fetch?");
    CHECK(usage_error({"Fetch"}) == "unknown command 'Fetch'; did you mean fetch?");
    CHECK(usage_error({"verfy"}) == "unknown command 'verfy'; did you mean verify?");
    CHECK(usage_error({"help", "sed"}) == "unknown command 'sed'; did you mean seed?");
}

TEST_CASE("command line: an option before the command is refused with how it goes")
{
    CHECK_THAT(usage_error({"--json", "fetch", "t", "d"}),
               contains("--json has to follow a command; usage: ezio-cli COMMAND [OPTIONS]"));
}

TEST_CASE("command line: missing and surplus arguments are refused by their names")
{
    CHECK_THAT(usage_error({"fetch"}), contains("TORRENT"));
    CHECK_THAT(usage_error({"fetch", "t"}), contains("TARGET"));
    CHECK_THAT(usage_error({"seed", "t"}), contains("SOURCE"));
    CHECK_THAT(usage_error({"verify", "t"}), contains("TARGET"));
    CHECK_THAT(usage_error({"info"}), contains("TORRENT"));
    CHECK_THAT(usage_error({"create", "-o", "t"}), contains("SOURCE"));
    CHECK_THAT(usage_error({"create", "i"}), contains("--output"));
    CHECK_THAT(usage_error({"fetch", "t", "d", "surplus"}), contains("surplus"));
    CHECK_THAT(usage_error({"info", "t", "surplus"}), contains("surplus"));
}

TEST_CASE("command line: for a mistyped option the one that was meant is suggested")
{
    CHECK(usage_error({"fetch", "t", "d", "--no-ls"}) ==
          "unknown option --no-ls; did you mean --no-lsd? (see ezio-cli help fetch)");
    CHECK(usage_error({"fetch", "t", "d", "--max-donwload", "1M"}) ==
          "unknown option --max-donwload; did you mean --max-download? (see ezio-cli help fetch)");
    CHECK(usage_error({"fetch", "t", "d", "--something-else"}) ==
          "unknown option --something-else (see ezio-cli help fetch)");
    CHECK(usage_error({"verify", "t", "d", "--peer", "a:1"}) ==
          "verify has no option --peer; that is for seed and fetch");
}

TEST_CASE("command line: of quiet and verbose the last one counts")
{
    CHECK(parse({"info", "t", "-q", "-v"}).output.verbosity == Verbosity::verbose);
    CHECK(parse({"info", "t", "-v", "--quiet"}).output.verbosity == Verbosity::quiet);
    CHECK(parse({"info", "t", "-qvq"}).output.verbosity == Verbosity::quiet);
}

TEST_CASE("command line: whatever words are given, the answer is one sentence of ours or a command")
{
    const Arguments odd{"",         "-",          "--",        "---",       "--=", "-=",    "-h=1",
                        "--output", "-o",         "-oq",       "--timeout", "[a]", "{}",    "%s",
                        "a b",      "--tracker=", "--no-lsd=", "@x",        "-1",  "--json"};
    for (const std::string command : {"fetch", "create", "info"}) {
        for (const std::string& first : odd) {
            for (const std::string& second : odd) {
                CAPTURE(command, first, second);
                try {
                    (void)parse_arguments({command, first, second, "t"});
                } catch (const Error& error) {
                    CHECK(error.status() == ExitStatus::usage);
                    CHECK_THAT(error.what(), !contains("RequiredError") && !contains("ArgumentMismatch") &&
                                                 !contains("not expected") && !contains("required"));
                }
            }
        }
    }
}

TEST_CASE("command line: an unknown option is refused by its name, an abbreviated one too")
{
    for (const std::string option : {"--no-such-option", "--no-ls", "--peers=a:1", "-x"}) {
        CHECK_THAT(usage_error({"fetch", "t", "d", option}), contains(option.substr(0, option.find('='))));
    }
    CHECK_THAT(usage_error({"verify", "t", "d", "--peer=a:1"}), contains("--peer")); // of another command
    CHECK_THAT(usage_error({"info", "t", "--memory=64M"}), contains("--memory"));
}

TEST_CASE("command line: how to report is known even when the rest is wrong")
{
    CHECK(output_of({"fetch", "--no-such-option", "--json"}).format == Format::json);
    CHECK(output_of({"fetch", "--no-such-option"}).format == Format::text);
    CHECK(output_of({}).format == Format::text);
    CHECK(output_of({"fetch", "--no-such-option", "--no-color"}).color == Color::no);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/report/reporter.hpp"

#include "captured_output.hpp"
#include "catch.hpp"
#include "terminal.hpp"

#include "ezio/util/printable.hpp"
#include "ezio/util/units.hpp"

#include <algorithm>

namespace ezio {

using test::CapturedOutput;
using test::PseudoTerminal;
using test::Redirected;
using test::Variable;

namespace {

ProgressEvent progress(Phase phase, double seconds)
{
    ProgressEvent event;
    event.phase = phase;
    event.seconds = seconds;
    event.total_bytes = 1_GiB;
    return event;
}

StartEvent start()
{
    return {"fetch", "sda1.torrent", "/dev/sda1", "sda1", std::string(40, 'a'), "10.0.0.1:6881", 8_GiB,
            9_GiB,   12345,          512,         16_MiB};
}

// Half way.
ClientStatus lab_client(const std::string& host, ClientState state)
{
    ClientStatus client;
    client.address = host + ":6881";
    client.reports = true;
    client.total_bytes = 1000;
    client.report.host = host;
    client.report.target = "/dev/sda";
    client.report.state = state;
    client.report.done_bytes = 500;
    client.report.message = state == ClientState::failed ? "disk full" : "";
    return client;
}

// Everything that can happen, once.
void report_all(Reporter& reporter)
{
    reporter.start(start());
    reporter.peer({true, "10.0.0.2:6881"});
    reporter.progress(progress(Phase::connecting, 0));
    reporter.warning("tracker: no");
    reporter.complete({64, 8_GiB});
    reporter.peer({false, "10.0.0.2:6881"});
    reporter.summary({ExitStatus::done, 70, 8_GiB, 8_GiB, 8_GiB, 1_GiB, 0, 3});
    reporter.error({ExitStatus::io, "/dev/sda1: gone"});
}

std::string text_of_all(Verbosity verbosity)
{
    const CapturedOutput err(STDERR_FILENO);
    report_all(*make_text_reporter(verbosity, Color::yes));
    return err.text();
}

} // namespace

TEST_CASE("text reporter: without a terminal there are plain sentences, without colours")
{
    CHECK(text_of_all(Verbosity::normal) ==
          "fetch sda1: 8.0 GiB in 12,345 extents, 512 pieces of 16.0 MiB\n"
          "listening on 10.0.0.1:6881\n"
          "connecting 0.0%, no peer yet\n"
          "warning: tracker: no\n"
          "complete: 8.0 GiB verified, written and synced in 64.0 s (128.0 MiB/s)\n"
          "received 8.0 GiB; 3 pieces failed the hash\n"
          "wrote 8.0 GiB; sent 1.0 GiB; 1:10 in all\n"
          "ezio-cli: /dev/sda1: gone\n");
}

TEST_CASE("text reporter: nothing that a torrent, a tracker or a peer says is obeyed by the terminal")
{
    const CapturedOutput err(STDERR_FILENO);
    const std::string evil = "\033]0;owned\007\033[2J\n";
    const auto reporter = make_text_reporter(Verbosity::verbose, Color::always);
    reporter->start({"fetch", evil, evil, evil, evil, evil, 1, 1, 1, 1, 16384});
    reporter->peer({true, evil});
    reporter->warning(evil);
    reporter->note(evil);
    SummaryEvent summary;
    summary.peers = {{evil, true, 1, 1}};
    reporter->summary(summary);
    reporter->error({ExitStatus::io, evil});
    const std::string text = err.text();
    CHECK_THAT(text, test::contains("\\x1b]0;owned\\x07\\x1b[2J\\x0a"));
    CHECK_THAT(text, !test::contains("\033]") && !test::contains("\033[2J") && !test::contains("\007"));
}

TEST_CASE("text reporter: a verbose one names the peers, too")
{
    const std::string text = text_of_all(Verbosity::verbose);
    CHECK_THAT(text, test::contains("peer 10.0.0.2:6881 connected\n"));
    CHECK_THAT(text, test::contains("peer 10.0.0.2:6881 left\n"));
}

TEST_CASE("text reporter: a quiet one has errors only")
{
    CHECK(text_of_all(Verbosity::quiet) == "ezio-cli: /dev/sda1: gone\n");
}

TEST_CASE("text reporter: nothing is said on standard output, that is for results")
{
    const CapturedOutput out(STDOUT_FILENO);
    (void)text_of_all(Verbosity::verbose);
    CHECK(out.text().empty());
}

TEST_CASE(
    "text reporter: without a terminal progress is a line every ten seconds, and whenever the phase changes")
{
    const CapturedOutput err(STDERR_FILENO);
    const auto reporter = make_text_reporter(Verbosity::normal, Color::yes);
    for (int quarter = 0; quarter < 120; ++quarter) { // half a minute
        reporter->progress(progress(Phase::verifying, 0.25 * quarter));
    }
    reporter->progress(progress(Phase::syncing, 30));
    reporter->progress(progress(Phase::syncing, 31));
    const std::string verifying = "verifying 0.0%, 0.0 of 1.0 GiB, disk 0 B/s\n";
    CHECK(err.text() == verifying + verifying + verifying + "syncing 0.0%, written; waiting for the disk\n");
}

TEST_CASE("text reporter: how often it reports without a terminal can be chosen")
{
    const CapturedOutput err(STDERR_FILENO);
    const auto reporter = make_text_reporter(Verbosity::normal, Color::yes, std::chrono::seconds(1));
    for (int quarter = 0; quarter < 12; ++quarter) { // three seconds
        reporter->progress(progress(Phase::verifying, 0.25 * quarter));
    }
    const std::string text = err.text();
    CHECK(std::count(text.begin(), text.end(), '\n') == 3);
}

TEST_CASE("text reporter: without a terminal each client that is complete or failed has a line")
{
    const CapturedOutput err(STDERR_FILENO);
    const auto reporter = make_text_reporter(Verbosity::normal, Color::yes);
    for (const ClientState state :
         {ClientState::connecting, ClientState::downloading, ClientState::complete}) {
        reporter->client(lab_client("pc1", state));
    }
    reporter->clients({lab_client("pc1", ClientState::complete)});
    reporter->client(lab_client("pc2", ClientState::failed));
    reporter->client(lab_client("pc3", ClientState::lost));
    reporter->client(lab_client("\033[2J", ClientState::stopped));
    CHECK(err.text() == "client pc1 (/dev/sda): complete\n"
                        "client pc2 (/dev/sda): failed at 50.0 %: disk full\n"
                        "client pc3 (/dev/sda): lost at 50.0 %\n"
                        "client \\x1b[2J (/dev/sda): stopped at 50.0 %\n");
}

TEST_CASE("text reporter: on a terminal the clients are a table above the progress line, while there is room")
{
    const Variable term("TERM", "xterm");
    PseudoTerminal terminal(80);
    const Redirected err(STDERR_FILENO, terminal.device());
    const auto reporter = make_text_reporter(Verbosity::normal, Color::always);
    reporter->client(lab_client("pc1", ClientState::failed)); // not a line of its own
    reporter->clients({lab_client("pc1", ClientState::failed), lab_client("pc2", ClientState::downloading)});
    reporter->progress(progress(Phase::seeding, 1));
    CHECK_THAT(terminal.read_to("state\r\n"), test::contains("client"));
    CHECK_THAT(terminal.read_to("\r\n"),
               test::contains("\033[31mpc1") && test::contains("failed at 50.0 %: disk full"));
    CHECK_THAT(terminal.read_to("\r\n"), test::contains("pc2") && test::contains("50.0%"));
    CHECK_THAT(terminal.read_to("B/s"), test::contains("seeding"));
    reporter->progress(progress(Phase::seeding, 1.1)); // too soon for so many lines
    reporter->progress(progress(Phase::seeding, 2));
    CHECK_THAT(terminal.read_to("A"), test::contains("\r\033[3A"));
    CHECK_THAT(terminal.read_to("\033[J"), test::contains("pc2"));

    terminal.set_size(7, 80); // one line as ever, and who failed has one of its own
    reporter->client(lab_client("pc2", ClientState::failed));
    const std::string failure = terminal.read_to("pc2 (/dev/sda): failed at 50.0 %: disk full\n");
    CHECK_THAT(failure, test::contains("\033[3A\033[J") && !test::contains("pc1"));
    reporter->progress(progress(Phase::seeding, 3));
    const std::string line = terminal.read_to("B/s");
    CHECK_THAT(line, test::contains("seeding") && !test::contains("\n"));
}

TEST_CASE("text reporter: a quiet one has no table")
{
    const Variable term("TERM", "xterm");
    PseudoTerminal terminal(80);
    const Redirected err(STDERR_FILENO, terminal.device());
    const auto reporter = make_text_reporter(Verbosity::quiet, Color::no);
    reporter->client(lab_client("pc1", ClientState::failed));
    reporter->clients({lab_client("pc1", ClientState::failed)});
    reporter->progress(progress(Phase::seeding, 1));
    reporter->error({ExitStatus::io, "end"});
    CHECK(terminal.read_to("end") == "ezio-cli: end");
}

TEST_CASE("text reporter: on a terminal progress is one line that is redrawn, narrower than the terminal")
{
    const Variable term("TERM", "xterm");
    PseudoTerminal terminal(20);
    const Redirected err(STDERR_FILENO, terminal.device());
    const auto reporter = make_text_reporter(Verbosity::normal, Color::no);
    reporter->progress(progress(Phase::connecting, 0));
    CHECK(terminal.read_to("%") == "connecting    0.0%");
    reporter->progress(progress(Phase::downloading, 0.25));
    CHECK(terminal.read_to("J") == "\rdownloading   0.0%\033[J");
    reporter->error({ExitStatus::io, "gone"});
    CHECK(terminal.read_to("\n") == "\r\033[Jezio-cli: gone\n");
}

TEST_CASE("text reporter: behind the progress line there is room for the ^C that a terminal shows")
{
    const Variable term("TERM", "xterm");
    PseudoTerminal terminal(80);
    const Redirected err(STDERR_FILENO, terminal.device());
    const auto reporter = make_text_reporter(Verbosity::normal, Color::no);
    ProgressEvent event = progress(Phase::downloading, 0);
    event.total_bytes = 8_GiB;
    event.eta_seconds = 10;
    reporter->progress(event);
    const std::string line = terminal.read_to("left");
    CHECK(columns(line) + 2 < 80);
    CHECK(line.ends_with(" 0:10 left"));
}

TEST_CASE("text reporter: on a terminal what matters is coloured, unless colours are not wanted")
{
    const Variable term("TERM", "xterm");
    PseudoTerminal terminal(80);
    const Redirected err(STDERR_FILENO, terminal.device());
    make_text_reporter(Verbosity::normal, Color::yes)->warning("slow");
    CHECK(terminal.read_to("\n") == "\033[33mwarning: \033[0mslow\n");
    make_text_reporter(Verbosity::normal, Color::yes)->error({ExitStatus::io, "gone"});
    CHECK(terminal.read_to("\n") == "\033[31mezio-cli: \033[0mgone\n");
    make_text_reporter(Verbosity::normal, Color::no)->error({ExitStatus::io, "gone"});
    CHECK(terminal.read_to("\n") == "ezio-cli: gone\n");
}

} // namespace ezio

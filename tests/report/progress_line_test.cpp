// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/progress_line.hpp"

#include "catch.hpp"

#include "ezio/util/printable.hpp"
#include "ezio/util/units.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ezio {

using test::contains;

namespace {

constexpr std::size_t narrowest = 20;
constexpr std::size_t widest = 200;

ProgressEvent downloading()
{
    ProgressEvent event;
    event.phase = Phase::downloading;
    event.total_bytes = 8_GiB;
    event.done_bytes = 2_GiB;
    event.download_rate = 112.5 * 1024 * 1024;
    event.done_rate = 98.0 * 1024 * 1024;
    event.eta_seconds = 54.2;
    event.peers = 3;
    return event;
}

ProgressEvent seeding()
{
    ProgressEvent event;
    event.phase = Phase::seeding;
    event.total_bytes = event.done_bytes = 8_GiB;
    event.peers = 3;
    event.clients_complete = 12;
    event.clients_in_progress = 3;
    event.slowest = {"10.0.0.17:6881", 45.27};
    event.upload_rate = 1024 * 1024;
    event.uploaded_bytes = 5_GiB;
    return event;
}

ProgressEvent in_phase(Phase phase, std::uint64_t done, std::uint64_t total)
{
    ProgressEvent event;
    event.phase = phase;
    event.done_bytes = done;
    event.total_bytes = total;
    return event;
}

struct Golden {
    std::size_t width;
    const char* line;
};

void check_lines(const ProgressEvent& event, const std::vector<Golden>& table)
{
    for (const auto& [width, line] : table) {
        CAPTURE(width);
        CHECK(progress_line(event, width, Glyphs::ascii) == line);
    }
}

const std::vector<Phase> all_phases{Phase::connecting, Phase::checking, Phase::downloading, Phase::syncing,
                                    Phase::verifying,  Phase::seeding,  Phase::hashing};

// The extremes of every number in every phase.
std::vector<ProgressEvent> all_kinds_of_events()
{
    constexpr std::uint64_t most = 1ULL << 63;
    std::vector<ProgressEvent> events;
    for (const Phase phase : all_phases) {
        for (const std::uint64_t total : {std::uint64_t{0}, std::uint64_t{1}, 60_GiB, most}) {
            for (const std::uint64_t done :
                 {std::uint64_t{0}, total / 2, total - std::min<std::uint64_t>(total, 1), total}) {
                for (const double rate : {0.0, 1.5, 1e9, 1e300, std::nan("")}) {
                    ProgressEvent event = in_phase(phase, done, total);
                    event.download_rate = event.upload_rate = event.done_rate = rate;
                    event.uploaded_bytes = total;
                    event.peers = done == 0 ? 0 : 99999;
                    event.clients_complete = event.clients_in_progress = event.peers;
                    event.eta_seconds = rate == 1.5 ? std::optional<double>(5e8) : std::nullopt;
                    events.push_back(event);
                }
            }
        }
    }
    return events;
}

bool is_only_reading(Phase phase)
{
    return phase == Phase::verifying || phase == Phase::checking || phase == Phase::hashing;
}

} // namespace

TEST_CASE("progress line: a download loses what matters least as the line gets narrower")
{
    check_lines(downloading(),
                {{159, "downloading  [##########------------------------------]   25.0%  2.0 of 8.0 GiB  "
                       "net  112.5 MiB/s  disk   98.0 MiB/s  3 peers      0:55 left"},
                 {119, "downloading  [####---------------]   25.0%  2.0 of 8.0 GiB  net  112.5 MiB/s  "
                       "disk   98.0 MiB/s  3 peers      0:55 left"},
                 {79, "downloading  [###-----------]   25.0%  net  112.5 MiB/s  3 peers      0:55 left"},
                 {59, "downloading   25.0%  net  112.5 MiB/s    0:55 left"},
                 {39, "downloading  25.0%  112.5 MiB/s   0:55"},
                 {20, "downloading  25.0%"}});
}

TEST_CASE("progress line: what was compressed on the network shows by how much")
{
    ProgressEvent event = downloading();
    event.received_bytes = 2_GiB;
    event.received_wire_bytes = 1_GiB;
    event.download_ratio = 2.84;
    check_lines(event, {{119, "downloading  [###---------]   25.0%  2.0 of 8.0 GiB  net  112.5 MiB/s, 2.8:1  "
                              "disk   98.0 MiB/s  3 peers      0:55 left"},
                        {39, "downloading  25.0%  112.5 MiB/s   0:55"}});
    CHECK(plain_progress(event) ==
          "downloading 25.0%, 2.0 of 8.0 GiB, net 112.5 MiB/s, 2.8:1, disk 98.0 MiB/s, "
          "3 peers, 0:55 left");
    event.download_ratio = 251.4;
    CHECK(plain_progress(event).find("net 112.5 MiB/s, 251:1, disk") != std::string::npos);
    event.received_wire_bytes = event.received_bytes - 1;
    CHECK(plain_progress(event).find(":1") == std::string::npos);
}

TEST_CASE("progress line: a seeder shows by how much what it sends is compressed")
{
    ProgressEvent event = seeding();
    event.uploaded_wire_bytes = 2_GiB;
    event.upload_ratio = 2.5;
    CHECK(plain_progress(event).find("up 1.0 MiB/s, 2.5:1, sent 5.0 GiB") != std::string::npos);
}

TEST_CASE("progress line: while the metadata is waited for there is no bar, but who is there")
{
    ProgressEvent event;
    event.phase = Phase::metadata;
    CHECK(progress_line(event, 79, Glyphs::unicode) == "getting the metadata  no peer yet");
    event.peers = 2;
    CHECK(progress_line(event, 79, Glyphs::unicode) == "getting the metadata  2 peers, no metadata yet");
    CHECK(plain_progress(event) == "getting the metadata, 2 peers, no metadata yet");
    CHECK(progress_line(event, 30, Glyphs::unicode) == "getting the metadata");
}

TEST_CASE("progress line: nothing moves while the numbers change")
{
    ProgressEvent later = downloading();
    later.done_bytes = 8_GiB - 1;
    later.download_rate = 9.0 * 1024;
    later.done_rate = 1023.9 * 1024 * 1024;
    later.eta_seconds = 3;
    later.peers = 1;
    for (const Glyphs glyphs : {Glyphs::ascii, Glyphs::unicode}) {
        for (const std::size_t width : {39, 59, 79, 119, 159}) {
            const std::string before = progress_line(downloading(), width, glyphs);
            const std::string after = progress_line(later, width, glyphs);
            CAPTURE(before, after);
            CHECK(columns(before) == columns(after));
            CHECK(columns(before.substr(0, before.find('%'))) == columns(after.substr(0, after.find('%'))));
            CHECK(columns(before.substr(0, before.find("/s"))) == columns(after.substr(0, after.find("/s"))));
        }
    }
}

TEST_CASE("progress line: while a target is checked and what it lacks comes in already, both are shown")
{
    ProgressEvent event = downloading();
    event.phase = Phase::checking;
    event.received_bytes = 1;
    check_lines(event,
                {{119, "checking     [####---------------]   25.0%  2.0 of 8.0 GiB  disk   98.0 MiB/s  "
                       "net  112.5 MiB/s  3 peers      0:55 left"},
                 {79, "checking     [###----------]   25.0%  disk   98.0 MiB/s  3 peers      0:55 left"},
                 {39, "checking     25.0%   98.0 MiB/s   0:55"}});
}

TEST_CASE("progress line: connecting, syncing and the phases that only read show what is known then")
{
    check_lines(in_phase(Phase::connecting, 0, 1_GiB),
                {{79, "connecting   [----------------------------------------]    0.0%  no peer yet"}});
    ProgressEvent first = in_phase(Phase::connecting, 0, 1_GiB);
    first.peers = 1;
    CHECK_THAT(progress_line(first, 79, Glyphs::ascii), contains("1 peer, no data yet"));
    check_lines(in_phase(Phase::syncing, 1_GiB, 1_GiB),
                {{79, "syncing      [########################-]   99.9%  written; waiting for the disk"},
                 {20, "syncing      99.9%"}});
    ProgressEvent reading = in_phase(Phase::verifying, 512_MiB, 1_GiB);
    reading.done_rate = 1024 * 1024 * 1024;
    reading.eta_seconds = 0.4;
    check_lines(reading, {{99, "verifying    [##############--------------]   50.0%  0.5 of 1.0 GiB  "
                               "disk    1.0 GiB/s    0:01 left"},
                          {20, "verifying    50.0%"}});
}

TEST_CASE("progress line: a seeder shows how many clients have failed, also where there is little room")
{
    ProgressEvent event = seeding();
    event.clients_failed = 2;
    check_lines(event, {{79, "seeding      12 complete   3 in progress   2 failed   up    1.0 MiB/s"},
                        {39, "seeding 12 complete  2 failed"},
                        {20, "seeding 2 failed"}});
    CHECK(plain_progress(event).find("3 in progress, 2 failed") != std::string::npos);
}

TEST_CASE("progress line: a seeder shows its clients instead of a percentage")
{
    check_lines(seeding(),
                {{119, "seeding      12 complete   3 in progress   slowest 45.2% 10.0.0.17:6881    "
                       "up    1.0 MiB/s  sent 5.0 GiB"},
                 {79, "seeding      12 complete   3 in progress   up    1.0 MiB/s  sent 5.0 GiB"},
                 {59, "seeding      12 complete   3 in progress   up    1.0 MiB/s"},
                 {39, "seeding 3 in progress  up    1.0 MiB/s"}});
}

TEST_CASE("progress line: whatever happens, it is no wider than the terminal and has no line end in it")
{
    for (const ProgressEvent& event : all_kinds_of_events()) {
        for (std::size_t width = narrowest; width <= widest; width += width < 90 ? 1 : 7) {
            for (const Glyphs glyphs : {Glyphs::ascii, Glyphs::unicode}) {
                const std::string line = progress_line(event, width, glyphs);
                const bool fits = columns(line) <= width && !line.empty() && printable(line) == line &&
                                  (glyphs == Glyphs::unicode || line.size() == columns(line));
                if (!fits) {
                    FAIL("width " << width << ": '" << line << "'");
                }
            }
        }
    }
}

TEST_CASE("progress line: a terminal of no width at all gets a line of no width")
{
    CHECK(progress_line(downloading(), 0, Glyphs::unicode).empty());
    CHECK(progress_line(downloading(), 1, Glyphs::unicode).size() == 1);
}

TEST_CASE("progress line: 100 % is not shown before everything is done")
{
    for (const ProgressEvent& event : all_kinds_of_events()) {
        const bool done = event.done_bytes == event.total_bytes && event.total_bytes > 0;
        for (const std::string& text : {progress_line(event, widest, Glyphs::ascii), plain_progress(event)}) {
            if (done && is_only_reading(event.phase)) {
                CHECK_THAT(text, contains("100.0%"));
            } else {
                CHECK_THAT(text, !contains("100.0%"));
            }
        }
    }
}

TEST_CASE("progress bar: it is filled by eighths, or by hash signs, and full at 100 % only")
{
    CHECK(progress_bar(0, 6, Glyphs::unicode) == "▕    ▏");
    CHECK(progress_bar(50, 6, Glyphs::unicode) == "▕██  ▏");
    CHECK(progress_bar(53.2, 6, Glyphs::unicode) == "▕██▏ ▏");
    CHECK(progress_bar(99.9, 6, Glyphs::unicode) == "▕███▉▏");
    CHECK(progress_bar(100, 6, Glyphs::unicode) == "▕████▏");
    CHECK(progress_bar(50, 6, Glyphs::ascii) == "[##--]");
    CHECK(progress_bar(99.9, 6, Glyphs::ascii) == "[###-]");
    CHECK(progress_bar(100, 6, Glyphs::ascii) == "[####]");
    CHECK(progress_bar(-1, 6, Glyphs::ascii) == "[----]");
    for (double percent = 0; percent <= 100; percent += 0.1) {
        CHECK(columns(progress_bar(percent, 30, Glyphs::unicode)) == 30);
    }
}

TEST_CASE("progress: in a log it is a sentence without a bar")
{
    CHECK(plain_progress(downloading()) == "downloading 25.0%, 2.0 of 8.0 GiB, net 112.5 MiB/s, "
                                           "disk 98.0 MiB/s, 3 peers, 0:55 left");
    CHECK(plain_progress(in_phase(Phase::connecting, 0, 1_GiB)) == "connecting 0.0%, no peer yet");
    CHECK(plain_progress(seeding()) == "seeding, 12 complete, 3 in progress, slowest 45.2% 10.0.0.17:6881, "
                                       "up 1.0 MiB/s, sent 5.0 GiB");
}

TEST_CASE("progress: the time that is left is as exact as it can be known")
{
    CHECK(format_eta(0) == "0:00");
    CHECK(format_eta(0.4) == "0:01");
    CHECK(format_eta(54.2) == "0:55");
    CHECK(format_eta(599) == "9:59");
    CHECK(format_eta(600) == "10 min");
    CHECK(format_eta(601) == "11 min");
    CHECK(format_eta(5999) == "100 min");
    CHECK(format_eta(6001) == "1.7 h");
    CHECK(format_eta(1e12) == "999 h");
}

TEST_CASE("progress: the percentage is rounded down")
{
    for (const Phase phase : {Phase::downloading, Phase::verifying}) {
        CHECK(percent_done(in_phase(phase, 0, 1000)) == 0);
        CHECK(percent_done(in_phase(phase, 9999, 100'000)) == 9.9);
        CHECK(percent_done(in_phase(phase, 99'999, 100'000)) == 99.9);
        CHECK(percent_done(in_phase(phase, 1'000'000'000'000 - 1, 1'000'000'000'000)) == 99.9);
        CHECK(percent_done(in_phase(phase, (1ULL << 62) - 1, 1ULL << 62)) == 99.9);
    }
}

TEST_CASE("progress: everything received, or even written, is not done before it is synced")
{
    CHECK(percent_done(in_phase(Phase::downloading, 1000, 1000)) == 99.9);
    CHECK(percent_done(in_phase(Phase::syncing, 1000, 1000)) == 99.9);
    CHECK(percent_done(in_phase(Phase::seeding, 1000, 1000)) == 100);
    CHECK(percent_done(in_phase(Phase::verifying, 1000, 1000)) == 100);
}

TEST_CASE("progress: how long it takes to find the used blocks is not known")
{
    CHECK(progress_line(in_phase(Phase::mapping, 0, 0), 80, Glyphs::ascii) == "finding the used blocks");
}

TEST_CASE("progress: the percentage of nothing is none")
{
    CHECK(percent_done(in_phase(Phase::verifying, 0, 0)) == 0);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/progress_line.hpp"

#include "catch.hpp"

#include "ezio/units.hpp"

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
    event.peers_complete = 2;
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
        CHECK(progress_line(event, width) == line);
    }
}

// The extremes of every number in every phase.
std::vector<ProgressEvent> all_kinds_of_events()
{
    constexpr std::uint64_t most = 1ULL << 63;
    std::vector<ProgressEvent> events;
    for (const Phase phase :
         {Phase::connecting, Phase::downloading, Phase::syncing, Phase::seeding, Phase::verifying,
          Phase::mapping, Phase::hashing}) {
        for (const std::uint64_t total : {std::uint64_t{0}, std::uint64_t{1}, 60_GiB, most}) {
            for (const std::uint64_t done :
                 {std::uint64_t{0}, total / 2, total - std::min<std::uint64_t>(total, 1), total}) {
                for (const double rate : {0.0, 1.5, 1e9, 1e300, std::nan("")}) {
                    ProgressEvent event = in_phase(phase, done, total);
                    event.download_rate = event.upload_rate = event.done_rate = rate;
                    event.uploaded_bytes = total;
                    event.peers = done == 0 ? 0 : 99999;
                    event.peers_complete = event.peers;
                    event.eta_seconds = rate == 1.5 ? std::optional<double>(5e8) : std::nullopt;
                    events.push_back(event);
                }
            }
        }
    }
    return events;
}

} // namespace

TEST_CASE("progress line: a download loses what matters least as the line gets narrower")
{
    check_lines(
        downloading(),
        {{200,
          "downloading  [#####---------------]  25.0%  2.0 GiB of 8.0 GiB  112.5 MiB/s  3 peers  ETA 0:55"},
         {94,
          "downloading  [#####---------------]  25.0%  2.0 GiB of 8.0 GiB  112.5 MiB/s  3 peers  ETA 0:55"},
         {93, "downloading  25.0%  2.0 GiB of 8.0 GiB  112.5 MiB/s  3 peers  ETA 0:55"},
         {70, "downloading  25.0%  2.0 GiB of 8.0 GiB  112.5 MiB/s  3 peers  ETA 0:55"},
         {69, "downloading  25.0%  112.5 MiB/s  3 peers  ETA 0:55"},
         {49, "downloading  25.0%  112.5 MiB/s  ETA 0:55"},
         {40, "downloading  25.0%  ETA 0:55"},
         {20, "downloading  25.0%"}});
}

TEST_CASE("progress line: connecting, syncing and verifying show what is known then")
{
    check_lines(in_phase(Phase::connecting, 0, 1_GiB),
                {{200, "connecting  [--------------------]  0.0%  0 B of 1.0 GiB  0 B/s  0 peers"}});
    check_lines(
        in_phase(Phase::syncing, 1_GiB, 1_GiB),
        {{200, "syncing  [###################-]  99.9%  1.0 GiB of 1.0 GiB"}, {20, "syncing  99.9%"}});
    ProgressEvent verifying = in_phase(Phase::verifying, 512_MiB, 1_GiB);
    verifying.done_rate = 1024 * 1024 * 1024;
    verifying.eta_seconds = 0.4;
    check_lines(verifying,
                {{200, "verifying  [##########----------]  50.0%  512.0 MiB of 1.0 GiB  1.0 GiB/s  ETA 0:01"},
                 {20, "verifying  50.0%"}});
}

TEST_CASE("progress line: a seeder shows its clients instead of a percentage")
{
    check_lines(seeding(), {{200, "seeding  3 peers  2 complete  up 1.0 MiB/s  sent 5.0 GiB"},
                            {56, "seeding  3 peers  2 complete  up 1.0 MiB/s  sent 5.0 GiB"},
                            {55, "seeding  3 peers  2 complete  up 1.0 MiB/s"},
                            {40, "seeding  3 peers  up 1.0 MiB/s"},
                            {20, "seeding"}});
    ProgressEvent alone = seeding();
    alone.peers = 1;
    CHECK_THAT(progress_line(alone, 200), contains("1 peer  "));
}

TEST_CASE("progress line: whatever happens, it is no wider than the terminal and has no line end in it")
{
    for (const ProgressEvent& event : all_kinds_of_events()) {
        for (std::size_t width = narrowest; width <= widest; ++width) {
            const std::string line = progress_line(event, width);
            const bool fits =
                line.size() <= width && !line.empty() &&
                std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; });
            if (!fits) {
                FAIL("width " << width << ": '" << line << "'");
            }
        }
    }
}

TEST_CASE("progress line: a terminal of no width at all gets a line of no width")
{
    CHECK(progress_line(downloading(), 0).empty());
    CHECK(progress_line(downloading(), 1).size() == 1);
}

TEST_CASE("progress line: 100 % is not shown before everything is done")
{
    for (const ProgressEvent& event : all_kinds_of_events()) {
        const bool done = event.done_bytes == event.total_bytes && event.total_bytes > 0;
        if (done && (event.phase == Phase::verifying || event.phase == Phase::hashing)) {
            CHECK_THAT(progress_line(event, widest), contains("100.0%"));
        } else {
            CHECK_THAT(progress_line(event, widest), !contains("100.0%"));
            CHECK_THAT(progress_line(event, widest), !contains("[####################]"));
        }
    }
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
    CHECK(progress_line(in_phase(Phase::mapping, 0, 0), 80) == "finding the used blocks");
}

TEST_CASE("progress: the percentage of nothing is none")
{
    CHECK(percent_done(in_phase(Phase::verifying, 0, 0)) == 0);
}

} // namespace ezio

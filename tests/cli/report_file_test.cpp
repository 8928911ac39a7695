// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/report_file.hpp"

#include "catch.hpp"
#include "expect_error.hpp"
#include "recording_reporter.hpp"
#include "temp_dir.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>

namespace ezio {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const Clock::time_point start{};

ClientStatus client(ClientState state, std::uint64_t done)
{
    ClientStatus status;
    status.address = "10.0.0.1:6881";
    status.report.state = state;
    status.report.done_bytes = done;
    return status;
}

} // namespace

TEST_CASE("report file: it is there from the start, and replaced when something changes")
{
    const test::TempDir directory;
    const std::string path = directory.path() + "/clients.json";
    test::RecordingReporter reporter;
    const auto read = [&] { return json::parse(test::read_file(path)); };
    {
        ReportFile file(path, reporter);
        CHECK(read()["clients"].empty());
        file.update({client(ClientState::downloading, 1)}, start);
        CHECK(read()["clients"][0]["done_bytes"] == 1);
        file.update({client(ClientState::downloading, 2)}, start + 500ms); // not at once
        CHECK(read()["clients"][0]["done_bytes"] == 1);
        file.update({client(ClientState::downloading, 3)}, start + 1s);
        CHECK(read()["clients"][0]["done_bytes"] == 3);
        file.update({client(ClientState::failed, 4)}, start + 1100ms); // at once
        CHECK(read()["clients"][0]["state"] == "failed");
        CHECK(read()["failed"] == 1);
        file.update({client(ClientState::failed, 5)}, start + 1200ms);
    }
    CHECK(read()["clients"][0]["done_bytes"] == 5);
    CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
    CHECK(reporter.take().empty());
}

TEST_CASE("report file: where it cannot be written it is refused, and later there is one warning")
{
    const test::TempDir directory;
    test::RecordingReporter reporter;
    const auto refusal =
        test::refusal_of([&] { const ReportFile file(directory.path() + "/none/file", reporter); });
    CHECK(refusal.status == ExitStatus::target);
    std::filesystem::create_directory(directory.path() + "/gone");
    ReportFile file(directory.path() + "/gone/file", reporter);
    std::filesystem::remove_all(directory.path() + "/gone");
    file.update({client(ClientState::failed, 1)}, start);
    file.update({client(ClientState::failed, 2)}, start + 2s);
    const auto lines = reporter.take();
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines[0], test::contains("--report: "));
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer/fetch_report.hpp"

#include "catch.hpp"

namespace ezio {

namespace {

ProgressEvent progress(Phase phase)
{
    ProgressEvent event;
    event.phase = phase;
    event.seconds = 12.9;
    event.done_bytes = 500;
    event.received_bytes = 600;
    event.download_rate = 70.5;
    event.done_rate = 80;
    event.eta_seconds = 3.2;
    return event;
}

ClientReport who()
{
    ClientReport names;
    names.host = "pc07";
    names.target = "/dev/sda";
    names.serial = "S4";
    return names;
}

} // namespace

TEST_CASE("fetch report: a download is told as it is shown")
{
    const ClientReport report = fetch_report(who(), progress(Phase::downloading));
    CHECK(report == ClientReport{"pc07", "/dev/sda", "S4", ClientState::downloading, 500, 600, 70, 12, 4,
                                 std::nullopt, ""});
    CHECK(fetch_report(who(), progress(Phase::verifying)).rate == 80);
    CHECK(fetch_report(who(), progress(Phase::metadata)).state == ClientState::connecting);
    CHECK(fetch_report(who(), progress(Phase::checking)).state == ClientState::checking);
    CHECK(fetch_report(who(), progress(Phase::syncing)).state == ClientState::syncing);
}

TEST_CASE("fetch report: one that serves others is complete, with status 0")
{
    const ClientReport report = fetch_report(who(), progress(Phase::seeding));
    CHECK(report.state == ClientState::complete);
    CHECK(report.status == 0);
    CHECK(report.rate == 0);
    CHECK_FALSE(report.eta_seconds);
}

TEST_CASE("fetch report: the last word has the status and the reason, and how far it was")
{
    const ClientReport said = fetch_report(who(), progress(Phase::downloading));
    const ClientReport failed = last_report(said, Error(ExitStatus::io, "disk full"));
    CHECK(failed.state == ClientState::failed);
    CHECK(failed.status == 5);
    CHECK(failed.message == "disk full");
    CHECK(failed.done_bytes == 500);
    CHECK(failed.rate == 0);
    const ClientReport stopped = last_report(said, Error(ExitStatus::terminated, "stopped by SIGTERM"));
    CHECK(stopped.state == ClientState::stopped);
    CHECK(stopped.status == 143);
}

TEST_CASE("fetch report: a signal takes nothing from one that is complete, a disk that fails does")
{
    const ClientReport said = fetch_report(who(), progress(Phase::seeding));
    CHECK(last_report(said, Error(ExitStatus::interrupted, "stopped by SIGINT")) == said);
    CHECK(last_report(said, Error(ExitStatus::io, "gone")).state == ClientState::failed);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "fetch_report.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ezio {

namespace {

ClientState state_of(Phase phase)
{
    switch (phase) {
    case Phase::checking:
        return ClientState::checking;
    case Phase::downloading:
        return ClientState::downloading;
    case Phase::syncing:
        return ClientState::syncing;
    case Phase::verifying:
        return ClientState::verifying;
    case Phase::seeding:
        return ClientState::complete;
    case Phase::metadata:
    case Phase::connecting:
    case Phase::mapping:
    case Phase::hashing:
        break;
    }
    return ClientState::connecting;
}

std::uint64_t whole(double number)
{
    return static_cast<std::uint64_t>(std::max(number, 0.0));
}

bool is_by_signal(ExitStatus status)
{
    return status == ExitStatus::interrupted || status == ExitStatus::terminated ||
           status == ExitStatus::hung_up;
}

} // namespace

ClientReport fetch_report(ClientReport who, const ProgressEvent& event)
{
    ClientReport report = std::move(who);
    report.state = state_of(event.phase);
    report.done_bytes = event.done_bytes;
    report.received_bytes = event.received_bytes;
    report.seconds = whole(event.seconds);
    if (report.state == ClientState::complete) {
        report.status = static_cast<int>(ExitStatus::done);
        return report;
    }
    report.rate = whole(event.phase == Phase::downloading ? event.download_rate : event.done_rate);
    if (event.eta_seconds) {
        report.eta_seconds = whole(std::ceil(*event.eta_seconds));
    }
    return report;
}

ClientReport last_report(ClientReport said, const Error& error)
{
    const bool by_signal = is_by_signal(error.status());
    ClientReport report = std::move(said);
    if (report.state == ClientState::complete && by_signal) {
        return report;
    }
    report.state = by_signal ? ClientState::stopped : ClientState::failed;
    report.status = static_cast<int>(error.status());
    report.message = error.what();
    report.rate = 0;
    report.eta_seconds.reset();
    return report;
}

} // namespace ezio

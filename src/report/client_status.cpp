// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/report/client_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace ezio {

namespace {

constexpr std::array<std::pair<ClientState, std::string_view>, 9> state_names{{
    {ClientState::connecting, "connecting"},
    {ClientState::checking, "checking"},
    {ClientState::downloading, "downloading"},
    {ClientState::syncing, "syncing"},
    {ClientState::verifying, "verifying"},
    {ClientState::complete, "complete"},
    {ClientState::failed, "failed"},
    {ClientState::stopped, "stopped"},
    {ClientState::lost, "lost"},
}};

} // namespace

std::string_view to_string(ClientState state)
{
    const auto found = std::find_if(state_names.begin(), state_names.end(),
                                    [state](const auto& entry) { return entry.first == state; });
    return found != state_names.end() ? found->second : "";
}

std::optional<ClientState> parse_client_state(std::string_view text)
{
    const auto found = std::find_if(state_names.begin(), state_names.end(),
                                    [text](const auto& entry) { return entry.second == text; });
    return found != state_names.end() ? std::optional(found->first) : std::nullopt;
}

const std::string& name_of(const ClientStatus& client)
{
    return client.report.host.empty() ? client.address : client.report.host;
}

double percent_done(const ClientStatus& client)
{
    if (client.report.state == ClientState::complete) {
        return 100;
    }
    if (client.total_bytes == 0) {
        return 0;
    }
    const double share =
        static_cast<double>(client.report.done_bytes) / static_cast<double>(client.total_bytes);
    return std::min(std::floor(share * 1000) / 10, 99.9);
}

std::string describe_client(const ClientStatus& client)
{
    return client.report.target.empty() ? name_of(client)
                                        : fmt::format("{} ({})", name_of(client), client.report.target);
}

std::string describe_result(const ClientStatus& client)
{
    const ClientReport& report = client.report;
    if (!has_failed(report.state)) {
        return std::string(to_string(report.state));
    }
    const bool has_reason = report.state == ClientState::failed && !report.message.empty();
    return fmt::format("{} at {:.1f} %{}", to_string(report.state), percent_done(client),
                       has_reason ? ": " + report.message : "");
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "client_watch.hpp"

#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ezio {

ClientList ClientWatch::observe(const ClientList& clients)
{
    ClientList changed;
    std::map<std::string, Known> known;
    for (const ClientStatus& client : clients) {
        const Known now{client.report.state, client.report.target};
        const auto before = m_known.find(client.address);
        if (before == m_known.end() || !(before->second == now)) {
            changed.push_back(client);
        }
        known.emplace(client.address, now);
    }
    m_known = std::move(known);
    return changed;
}

std::string describe_clients(unsigned complete, unsigned wanted, ClientList clients)
{
    constexpr std::size_t most_named = 10;
    std::string text = fmt::format("{} of {} {} complete", complete, counted(wanted, "client"),
                                   complete == 1 ? "is" : "are");
    std::stable_partition(clients.begin(), clients.end(), // failed ones first
                          [](const ClientStatus& client) { return has_failed(client.report.state); });
    std::size_t incomplete = 0;
    for (const ClientStatus& client : clients) {
        if (client.report.state == ClientState::complete) {
            continue;
        }
        if (++incomplete <= most_named) {
            const std::string result =
                has_failed(client.report.state)
                    ? describe_result(client)
                    : fmt::format("is {}, {:.1f} %", describe_result(client), percent_done(client));
            text += fmt::format("{} {} {}", incomplete == 1 ? ":" : ";", describe_client(client), result);
        }
    }
    if (incomplete > most_named) {
        text += fmt::format("; and {} more", incomplete - most_named);
    }
    if (complete + incomplete < wanted) {
        const std::size_t missing = wanted - complete - incomplete;
        text += fmt::format("{} {} {} not connected", incomplete == 0 ? ":" : ";", missing,
                            missing == 1 ? "has" : "have");
    }
    return text;
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "reporting_clients.hpp"

#include "ezio/util/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

namespace ezio {

bool ReportingClients::reported(const std::string& id, const ReportOrigin& origin, ClientReport report,
                                Clock::time_point now)
{
    report.done_bytes = std::min(report.done_bytes, m_total_bytes);
    if (Client* known = find(id)) {
        known->report = std::move(report);
        known->heard = now;
        return true;
    }
    make_room_for(origin, report, now);
    if (!has_room_for(origin)) {
        return false;
    }
    m_clients.push_back({id, origin, free_address(origin), std::move(report), now, 0});
    m_by_id[id] = std::prev(m_clients.end());
    m_by_host[origin.host].push_back(m_by_id[id]);
    return true;
}

void ReportingClients::connected(const std::string& id)
{
    if (Client* client = find(id)) {
        ++client->connections;
    }
}

void ReportingClients::left(const std::string& id)
{
    Client* client = find(id);
    if (client != nullptr && client->connections > 0 && --client->connections == 0) {
        forget_if_too_many(m_by_id.at(id));
    }
}

// The first clients that left an address are remembered: ever new names must not displace earlier reports.
void ReportingClients::forget_if_too_many(Kept::iterator client)
{
    const auto is_gone = [](const auto& other) {
        return other->connections == 0 && other->report.state != ClientState::complete;
    };
    const auto& others = of_host(client->origin.host);
    const auto gone = std::count_if(others.begin(), others.end(), is_gone);
    if (is_gone(client) && gone > std::ptrdiff_t{most_gone_of_one_address}) {
        forget(client);
    }
}

ReportingClients::Client* ReportingClients::find(const std::string& id)
{
    const auto found = m_by_id.find(id);
    return found != m_by_id.end() ? &*found->second : nullptr;
}

const std::vector<ReportingClients::Kept::iterator>& ReportingClients::of_host(const std::string& host) const
{
    static const std::vector<Kept::iterator> none;
    const auto found = m_by_host.find(host);
    return found != m_by_host.end() ? found->second : none;
}

void ReportingClients::forget(Kept::iterator client)
{
    const auto host = m_by_host.find(client->origin.host);
    std::erase(host->second, client);
    if (host->second.empty()) {
        m_by_host.erase(host);
    }
    m_by_id.erase(client->id);
    m_clients.erase(client);
}

// A host that was switched off keeps its connection for minutes.
bool ReportingClients::is_here(const Client& client, Clock::time_point now) const
{
    return client.connections > 0 && state_of(client, now) != ClientState::lost;
}

ClientState ReportingClients::state_of(const Client& client, Clock::time_point now) const
{
    const ClientState said = client.report.state;
    return !is_final(said) && now - client.heard >= lost_after ? ClientState::lost : said;
}

// Removes older clients that this one replaces after a restart.
void ReportingClients::make_room_for(const ReportOrigin& origin, const ClientReport& report,
                                     Clock::time_point now)
{
    const auto of_that_host = of_host(origin.host); // a copy
    for (const Kept::iterator client : of_that_host) {
        const bool same_place = client->origin == origin;
        const bool same_disk = client->origin.behind == origin.behind &&
                               client->report.target == report.target &&
                               client->report.serial == report.serial;
        if ((same_place || same_disk) && !is_here(*client, now)) {
            forget(client);
        }
    }
}

bool ReportingClients::has_room_for(const ReportOrigin& origin) const
{
    return m_clients.size() < most_clients && of_host(origin.host).size() < most_of_one_address;
}

std::string ReportingClients::free_address(const ReportOrigin& origin) const
{
    const std::string wanted =
        origin.behind.empty() ? origin.place : fmt::format("{} ({})", origin.place, origin.behind);
    std::set<std::string_view> taken; // the names at this place
    for (const Kept::iterator client : of_host(origin.host)) {
        if (client->address.starts_with(wanted)) {
            taken.insert(client->address);
        }
    }
    return first_free_name(wanted, [&](const std::string& address) { return taken.contains(address); });
}

ClientList ReportingClients::list(Clock::time_point now) const
{
    ClientList list;
    list.reserve(m_clients.size());
    for (const Client& client : m_clients) {
        list.push_back({client.report, client.address, true, m_total_bytes});
        list.back().report.state = state_of(client, now);
    }
    return list;
}

ReportingClients::Counts ReportingClients::count(Clock::time_point now) const
{
    Counts counts;
    for (const Client& client : m_clients) {
        const ClientState state = state_of(client, now);
        counts.complete += state == ClientState::complete ? 1 : 0;
        counts.failed += has_failed(state) ? 1 : 0;
        if (client.connections > 0 && !is_final(state) && !has_failed(state)) {
            ++counts.in_progress;
            if (!counts.slowest || client.report.done_bytes < counts.slowest->done_bytes) {
                counts.slowest = Counts::Slowest{client.address, client.report.done_bytes};
            }
        }
    }
    return counts;
}

} // namespace ezio

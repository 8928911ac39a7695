// SPDX-License-Identifier: GPL-2.0-or-later
#include "swarm_clients.hpp"

#include "ezio/util/clock.hpp"

namespace ezio {

std::string SwarmClients::name_of(const std::string& process, const std::string& address,
                                  const std::string& behind)
{
    const MutexLock lock(m_mutex);
    return m_announcing.name_of(process, address, behind);
}

std::string SwarmClients::name_of_other(const std::string& peer_id, const std::string& address,
                                        std::uint32_t pieces)
{
    const MutexLock lock(m_mutex);
    return m_announcing.name_of_other(peer_id, address, pieces);
}

void SwarmClients::has(const std::string& client, std::uint32_t pieces)
{
    const MutexLock lock(m_mutex);
    m_announcing.has(client, pieces);
}

void SwarmClients::gone(const std::string& client)
{
    const MutexLock lock(m_mutex);
    m_announcing.left(client);
}

void SwarmClients::sent_away(const std::string& address)
{
    const MutexLock lock(m_mutex);
    m_announcing.sent_away(address);
}

bool SwarmClients::has_seen(const std::string& client) const
{
    const MutexLock lock(m_mutex);
    return m_announcing.has_seen(client);
}

void SwarmClients::reported(const IdentifiedReport& report, const ReportOrigin& origin, bool is_first)
{
    const MutexLock lock(m_mutex);
    if (m_reporting.reported(report.id, origin, report.report, Clock::now()) && is_first) {
        m_reporting.connected(report.id);
    }
}

void SwarmClients::left(const std::string& id)
{
    const MutexLock lock(m_mutex);
    m_reporting.left(id);
}

Clients SwarmClients::count() const
{
    const MutexLock lock(m_mutex);
    Clients clients = m_announcing.count();
    const auto reporting = m_reporting.count(Clock::now());
    clients.complete += reporting.complete;
    clients.in_progress += reporting.in_progress;
    clients.failed = reporting.failed;
    if (const auto& slowest = reporting.slowest) {
        const auto pieces = static_cast<std::uint32_t>(slowest->done_bytes / m_piece_length);
        if (!clients.slowest || pieces < clients.slowest->pieces) {
            clients.slowest = Clients::Slowest{slowest->address, pieces};
        }
    }
    return clients;
}

ClientList SwarmClients::list() const
{
    const MutexLock lock(m_mutex);
    ClientList list = m_reporting.list(Clock::now());
    m_announcing.add_to(list, m_piece_length, m_total_bytes);
    return list;
}

} // namespace ezio

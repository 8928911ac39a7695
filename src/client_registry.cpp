// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/client_registry.hpp"

namespace ezio {

std::string ClientRegistry::name_of(const std::string& process, const std::string& address)
{
    if (process.empty()) {
        return address;
    }
    const auto known = m_names.find(process);
    if (known != m_names.end()) {
        return known->second;
    }
    if (m_names.size() < most_clients) {
        m_names.emplace(process, address);
    }
    return address;
}

void ClientRegistry::has(const std::string& name, std::uint32_t pieces)
{
    if (m_clients.size() >= most_clients && m_clients.count(name) == 0) {
        return;
    }
    Client& client = m_clients[name];
    client.pieces = pieces;
    client.connected = true;
    client.complete = pieces == m_pieces;
}

void ClientRegistry::left(const std::string& name)
{
    const auto client = m_clients.find(name);
    if (client == m_clients.end()) {
        return;
    }
    if (client->second.complete) {
        client->second.connected = false;
    } else {
        m_clients.erase(client);
        if (m_left_incomplete.size() >= most_clients) {
            m_left_incomplete.clear();
        }
        m_left_incomplete.insert(name);
    }
}

bool ClientRegistry::has_seen(const std::string& name) const
{
    return m_clients.count(name) != 0 || m_left_incomplete.count(name) != 0;
}

Clients ClientRegistry::count() const
{
    Clients clients;
    for (const auto& [name, client] : m_clients) {
        if (client.complete) {
            ++clients.complete;
        } else if (client.connected) {
            ++clients.in_progress;
            if (!clients.slowest || client.pieces < clients.slowest->pieces) {
                clients.slowest = Clients::Slowest{name, client.pieces};
            }
        }
    }
    return clients;
}

} // namespace ezio

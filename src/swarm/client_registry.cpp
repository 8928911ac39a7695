// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/swarm/client_registry.hpp"

#include "ezio/util/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ezio {

std::string ClientRegistry::name_of(const std::string& process, const std::string& address,
                                    const std::string& behind)
{
    if (process.empty()) {
        return address;
    }
    const auto known = m_names.find(process);
    if (known == m_names.end() && m_names.size() >= most_clients) {
        return address;
    }
    std::string name = known != m_names.end() ? known->second : address;
    if (!behind.empty()) {
        name = free_name(process, known != m_names.end() ? name : fmt::format("{} ({})", address, behind));
        m_owners[name] = process;
    }
    m_names[process] = name;
    return name;
}

std::string ClientRegistry::name_of_other(const std::string& peer_id, const std::string& address,
                                          std::uint32_t pieces)
{
    if (peer_id.empty()) {
        return address;
    }
    std::string name = name_left_with(address, pieces);
    if (name.empty()) { // a peer with everything is no new client
        name = pieces == m_pieces ? address : free_name(peer_id, address);
    }
    m_owners[name] = peer_id;
    return name;
}

// Among the names at the address whose clients left incomplete with at most this many pieces: the one with
// the most.
std::string ClientRegistry::name_left_with(const std::string& address, std::uint32_t pieces) const
{
    const std::string numbered = address + " #";
    auto best = m_left_incomplete.end();
    for (auto left = m_left_incomplete.lower_bound(address);
         left != m_left_incomplete.end() && (left->first == address || left->first.starts_with(numbered));
         ++left) {
        if (left->second <= pieces && m_clients.count(left->first) == 0 &&
            (best == m_left_incomplete.end() || left->second > best->second)) {
            best = left;
        }
    }
    return best != m_left_incomplete.end() ? best->first : "";
}

// A name that no other connected owner has.
std::string ClientRegistry::free_name(const std::string& owner, const std::string& wanted) const
{
    const auto is_taken = [&](const std::string& name) {
        const auto client = m_clients.find(name);
        const auto other = m_owners.find(name);
        return client != m_clients.end() && client->second.connected && other != m_owners.end() &&
               other->second != owner;
    };
    return first_free_name(wanted, is_taken);
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
    const auto owner = m_owners.find(name);
    if (owner != m_owners.end() && m_names.count(owner->second) == 0) {
        m_owners.erase(owner);
    }
    const auto client = m_clients.find(name);
    if (client == m_clients.end()) {
        return;
    }
    if (client->second.complete) {
        client->second.connected = false;
    } else {
        const std::uint32_t pieces = client->second.pieces;
        m_clients.erase(client);
        left_with(name, pieces);
    }
}

void ClientRegistry::sent_away(const std::string& address)
{
    if (!has_seen(address)) {
        left_with(address, 0);
    }
}

void ClientRegistry::left_with(const std::string& name, std::uint32_t pieces)
{
    if (m_left_incomplete.size() >= most_clients) {
        m_left_incomplete.clear();
    }
    m_left_incomplete[name] = pieces;
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

void ClientRegistry::add_to(ClientList& list, std::uint64_t piece_length, std::uint64_t total_bytes) const
{
    const std::size_t end = list.size() + most_listed;
    for (const auto& [name, client] : m_clients) {
        if (list.size() < end && (client.complete || client.connected)) {
            ClientStatus status{{}, name, false, total_bytes};
            status.report.state = client.complete     ? ClientState::complete
                                  : client.pieces > 0 ? ClientState::downloading
                                                      : ClientState::connecting;
            status.report.done_bytes = std::min(piece_length * client.pieces, total_bytes);
            status.report.received_bytes = status.report.done_bytes;
            list.push_back(std::move(status));
        }
    }
}

} // namespace ezio

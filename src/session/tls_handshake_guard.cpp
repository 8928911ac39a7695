// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/session/tls_handshake_guard.hpp"

#include "ezio/util/text.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <sys/socket.h>

namespace ezio {

namespace {

using AddressCall = int (*)(int, sockaddr*, socklen_t*);

// The result of getsockname(2) or getpeername(2); empty unless it is a connected IP socket.
std::optional<Endpoint> endpoint_of(int descriptor, AddressCall call)
{
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (call(descriptor, reinterpret_cast<sockaddr*>(&storage), &length) != 0 ||
        (storage.ss_family != AF_INET && storage.ss_family != AF_INET6)) {
        return std::nullopt;
    }
    Endpoint endpoint;
    if (length > endpoint.capacity()) {
        return std::nullopt;
    }
    std::memcpy(endpoint.data(), &storage, length);
    endpoint.resize(length);
    return endpoint;
}

} // namespace

TlsHandshakeGuard::TlsHandshakeGuard(std::set<std::uint16_t> ports)
    : m_ports(std::move(ports)), m_descriptors(::opendir("/proc/self/fd"))
{}

void TlsHandshakeGuard::look(Clock::time_point now, const std::set<Endpoint>& peers)
{
    m_last_look = now;
    for (const int descriptor : choose(now, connections(), peers)) {
        (void)::shutdown(descriptor, SHUT_RDWR); // libtorrent reads an end, and closes it; or it did already
    }
}

std::vector<TlsHandshakeGuard::Connection> TlsHandshakeGuard::connections() const
{
    std::vector<Connection> found;
    if (!m_descriptors) {
        return found;
    }
    ::rewinddir(m_descriptors.get());
    while (const dirent* entry = ::readdir(m_descriptors.get())) {
        const auto descriptor = parse_number<int>(entry->d_name);
        const auto local = descriptor ? endpoint_of(*descriptor, &::getsockname) : std::nullopt;
        const auto peer = local && m_ports.contains(local->port()) ? endpoint_of(*descriptor, &::getpeername)
                                                                   : std::nullopt;
        if (peer) {
            found.push_back({*descriptor, *peer});
        }
    }
    return found;
}

std::vector<int> TlsHandshakeGuard::choose(Clock::time_point now, const std::vector<Connection>& connections,
                                           const std::set<Endpoint>& peers)
{
    std::map<Endpoint, Clock::time_point> waiting;
    std::vector<std::pair<Clock::time_point, int>> by_age;
    for (const Connection& connection : connections) {
        if (peers.contains(connection.peer)) {
            continue;
        }
        const auto before = m_waiting.find(connection.peer);
        const auto since = before == m_waiting.end() ? now : before->second;
        waiting.emplace(connection.peer, since);
        by_age.emplace_back(since, connection.descriptor);
    }
    m_waiting = std::move(waiting);
    std::sort(by_age.begin(), by_age.end());
    std::vector<int> chosen;
    for (std::size_t i = 0; i < by_age.size(); ++i) {
        if (now - by_age[i].first >= patience || by_age.size() - i > most_waiting) {
            chosen.push_back(by_age[i].second);
        }
    }
    return chosen;
}

} // namespace ezio

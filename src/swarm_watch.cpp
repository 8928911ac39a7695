// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/swarm_watch.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace ezio {

SwarmWatch::SwarmWatch(const NetworkEndpoints& endpoints, Reporter& reporter)
    : m_endpoints(endpoints), m_reporter(reporter), m_warnings(reporter)
{}

void SwarmWatch::begin(std::size_t named_peers, unsigned trackers, bool local_discovery,
                       Clock::time_point now)
{
    m_facts.named_peers = static_cast<unsigned>(named_peers);
    m_facts.trackers = trackers;
    m_facts.lsd = local_discovery;
    m_lonely_since = m_last_search = now;
}

void SwarmWatch::handle(const DiscoveryFailed& event)
{
    m_warnings.tell("local service discovery hears nothing: " + event.reason);
}

void SwarmWatch::handle(const ListenTroubled& event)
{
    m_warnings.tell("a connection could not be accepted: " + event.reason);
}

void SwarmWatch::handle(const TrackerFailed& event)
{
    m_facts.last_tracker_error = fmt::format("{}: {}", event.url, event.reason);
    m_warnings.tell("tracker " + m_facts.last_tracker_error);
}

void SwarmWatch::handle(const PeerRefused& event)
{
    m_facts.last_refusal = fmt::format("{}: {}", event.address, event.reason);
    m_warnings.tell("no TLS connection with " + m_facts.last_refusal);
}

void SwarmWatch::handle(const PeerBlocked& event)
{
    if (!allows(m_endpoints.allowed, event.host)) {
        m_warnings.tell(
            fmt::format("{} is kept out: it is in no network that --allow names", event.host.to_string()));
    }
}

void SwarmWatch::handle(const PieceRejected& event)
{
    m_warnings.tell(fmt::format("piece {} arrived with wrong data; it is fetched again", event.piece));
}

std::optional<boost::asio::ip::address> SwarmWatch::handle(const PeerBanned& event)
{
    const auto host = event.peer.address();
    if (m_warnings.tell(fmt::format("{} has sent wrong data; it is dropped", to_string(event.peer)))) {
        ++m_facts.banned_peers;
    }
    if (++m_bans[host] != bans_until_kept_out || host.is_loopback()) { // this machine has several processes
        return std::nullopt;
    }
    m_warnings.tell(fmt::format("{} has sent wrong data {} times; it is kept out from now on",
                                host.to_string(), bans_until_kept_out));
    return host;
}

void SwarmWatch::look(const std::vector<ConnectedPeer>& peers, Clock::time_point now)
{
    std::set<std::string> connected;
    m_facts.peers_with_data = m_peers_complete = 0;
    m_has_source = false;
    for (const ConnectedPeer& peer : peers) {
        connected.insert(peer.address);
        m_peers_complete += peer.complete ? 1 : 0;
        m_facts.peers_with_data += peer.has_data ? 1 : 0;
        m_has_source = m_has_source || peer.is_source;
        if (!peer.complete) {
            m_last_needed = now;
        }
    }
    m_facts.peers = static_cast<unsigned>(connected.size());
    for (const std::string& address : connected) {
        if (m_known_peers.count(address) == 0) {
            m_reporter.peer({true, address});
        }
    }
    for (const std::string& address : m_known_peers) {
        if (connected.count(address) == 0) {
            m_reporter.peer({false, address});
        }
    }
    m_known_peers = std::move(connected);
}

SwarmWatch::Search SwarmWatch::search(Clock::time_point now)
{
    const bool lonely = m_facts.peers == 0;
    m_lonely_since = lonely ? m_lonely_since : now;
    const auto lonely_for = std::chrono::duration_cast<milliseconds>(now - m_lonely_since);
    if (now - m_last_search < search_interval(lonely_for)) {
        return Search::none;
    }
    m_last_search = now;
    return lonely ? Search::everywhere : Search::local;
}

bool SwarmWatch::misses_named_peers() const
{
    return m_facts.peers < m_endpoints.peers.size();
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "peer_watch.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace ezio {

using namespace std::chrono_literals;

PeerWatch::PeerWatch(const NetworkEndpoints& endpoints, Reporter& reporter)
    : m_endpoints(endpoints), m_reporter(reporter), m_warnings(reporter)
{}

void PeerWatch::begin(std::size_t named_peers, unsigned trackers, bool local_discovery, Clock::time_point now)
{
    m_facts.named_peers = static_cast<unsigned>(named_peers);
    m_facts.trackers = trackers;
    m_facts.lsd = local_discovery;
    m_lonely_since = m_last_search = now;
}

void PeerWatch::handle(const ListenFailed& event)
{
    const std::string message = fmt::format("cannot listen on {}: {}", event.where, event.reason);
    if (!m_listens) {
        throw Error(ExitStatus::network, message);
    }
    m_warnings.tell(message);
}

void PeerWatch::handle(const Listening&)
{
    m_listens = true;
}

void PeerWatch::handle(const DiscoveryFailed& event)
{
    m_warnings.tell("local service discovery receives nothing: " + event.reason);
}

void PeerWatch::handle(const ListenTroubled& event)
{
    m_warnings.tell("a connection could not be accepted: " + event.reason);
}

void PeerWatch::handle(const TrackerFailed& event)
{
    m_facts.last_tracker_error = fmt::format("{}: {}", event.url, event.reason);
    m_warnings.tell("tracker " + m_facts.last_tracker_error);
}

void PeerWatch::handle(const CompressionChanged& event)
{
    m_reporter.note(event.reason);
}

void PeerWatch::handle(const TrackerAnswered& event)
{
    m_facts.last_tracker_error.clear();
    const auto last = m_tracker_peers.find(event.url);
    if (last == m_tracker_peers.end() || last->second != event.peers) {
        m_tracker_peers[event.url] = event.peers;
        m_reporter.note(fmt::format("tracker {}: it returned {}", event.url, counted(event.peers, "peer")));
    }
}

void PeerWatch::handle(const PeerFound& event)
{
    note_once("local service discovery has found " + to_string(event.peer));
}

void PeerWatch::handle(const PeerUnreachable& event)
{
    note_once(fmt::format("no connection with {}: {}{}", to_string(event.peer), event.reason,
                          is_named(event.peer) ? "; it is tried again" : ""));
    pause(event.peer, 5s);
}

void PeerWatch::handle(const PeerGone& event)
{
    const std::string address = to_string(event.peer);
    if (m_known_peers.count(address) != 0) {
        m_reasons[address] = event.reason;
    } else {
        pause(event.peer, 60s);
        note_once(fmt::format("{} was connected only for a moment: {}", address, event.reason));
    }
}

void PeerWatch::handle(const WrongDataFrom& event)
{
    note_once(fmt::format("piece {} with the wrong hash had data from {}", event.piece, event.address));
}

void PeerWatch::handle(const PeerRefused& event)
{
    m_facts.last_refusal = fmt::format("{}: {}", event.address, event.reason);
    m_warnings.tell("no TLS connection with " + m_facts.last_refusal);
}

void PeerWatch::handle(const PeerBlocked& event)
{
    if (!allows(m_endpoints.allowed, event.host)) {
        m_warnings.tell(
            fmt::format("{} is refused: it is in none of the networks of --allow", event.host.to_string()));
    }
}

void PeerWatch::handle(const PieceRejected& event)
{
    m_warnings.tell(fmt::format("piece {} arrived with wrong data; it is fetched again", event.piece));
}

std::optional<boost::asio::ip::address> PeerWatch::handle(const PeerBanned& event)
{
    const auto host = event.peer.address();
    if (m_warnings.tell(fmt::format("{} has sent wrong data; it is disconnected", to_string(event.peer)))) {
        ++m_facts.banned_peers;
    }
    const unsigned times = ++m_bans[host];
    m_banned.insert(event.peer);
    if (event.is_web_seed || is_named_for_another(host) ||
        !keep_out_from(event.shares_address ? bans_until_kept_out : 1, host)) {
        return std::nullopt;
    }
    m_warnings.tell(fmt::format("{} has sent wrong data{}; it is banned from now on", host.to_string(),
                                times > 1 ? fmt::format(" {} times", times) : ""));
    return host;
}

// Whether --peer names another peer at this address, one that has sent no wrong data.
bool PeerWatch::is_named_for_another(const boost::asio::ip::address& host) const
{
    const auto& named = m_endpoints.peers;
    return std::any_of(named.begin(), named.end(), [&](const Endpoint& peer) {
        return peer.address() == host && m_banned.count(peer) == 0;
    });
}

std::optional<boost::asio::ip::address> PeerWatch::handle(const PeerMisbehaved& event)
{
    const auto host = event.peer.address();
    m_warnings.tell(fmt::format("{} {}; it is disconnected", host.to_string(), event.reason));
    const unsigned times = ++m_bans[host];
    if (!keep_out_from(bans_until_kept_out, host)) {
        return std::nullopt;
    }
    m_warnings.tell(
        fmt::format("{} was disconnected {} times; it is banned from now on", host.to_string(), times));
    return host;
}

// Returns whether to ban the host from now on: never this machine, which can have several processes.
bool PeerWatch::keep_out_from(unsigned bans, const boost::asio::ip::address& host)
{
    return m_bans[host] >= bans && !host.is_loopback() && m_kept_out.insert(host).second;
}

void PeerWatch::look(const std::vector<ConnectedPeer>& peers, Clock::time_point now)
{
    std::set<std::string> connected;
    std::set<std::string> incomplete;
    m_facts.peers_with_data = m_peers_complete = 0;
    m_has_source = false;
    for (const ConnectedPeer& peer : peers) {
        connected.insert(peer.address);
        m_peers_complete += peer.complete ? 1 : 0;
        m_facts.peers_with_data += peer.has_data ? 1 : 0;
        m_has_source = m_has_source || peer.is_source;
        if (!peer.complete) {
            m_last_needed = now;
            incomplete.insert(peer.address);
        }
        m_became_complete += peer.complete && m_incomplete.count(peer.address) != 0 ? 1 : 0;
    }
    if (m_serves) { // before, a seeder with few known pieces looks like a client
        m_incomplete = std::move(incomplete);
    }
    m_facts.peers = static_cast<unsigned>(connected.size());
    for (const std::string& address : connected) {
        if (m_known_peers.count(address) == 0) {
            m_reporter.peer({true, address});
        }
    }
    for (const std::string& address : m_known_peers) {
        if (connected.count(address) == 0) {
            m_reporter.peer({false, address, m_reasons[address]});
            m_pauses.clear(); // one may have been disconnected in favour of this connection
        }
    }
    if (connected.empty()) {
        m_pauses.clear();
    }
    m_looked = now;
    m_reasons.clear();
    m_known_peers = std::move(connected);
}

void PeerWatch::needed_from(Clock::time_point time)
{
    m_last_needed = time;
    m_serves = true;
}

PeerWatch::Search PeerWatch::search(Clock::time_point now)
{
    const bool lonely = m_facts.peers == 0;
    m_lonely_since = lonely ? m_lonely_since : now;
    const auto lonely_for = std::chrono::duration_cast<milliseconds>(now - m_lonely_since);
    if (now - m_last_search < search_interval(lonely_for)) {
        return Search::none;
    }
    m_last_search = now;
    note_search(lonely, search_interval(lonely_for));
    return lonely ? Search::everywhere : Search::local;
}

LocalDiscovery::Reach PeerWatch::reach(Clock::time_point now) const
{
    constexpr milliseconds enough_to_connect{3000};
    const bool is_left_alone = m_facts.peers == 0 && now - m_lonely_since > enough_to_connect;
    return is_left_alone ? LocalDiscovery::Reach::all : LocalDiscovery::Reach::preferred;
}

void PeerWatch::note_search(bool lonely, milliseconds interval)
{
    if (lonely && interval != m_noted_interval) {
        std::string asked = m_facts.trackers > 0 ? counted(m_facts.trackers, "tracker") : "";
        if (m_facts.lsd) {
            asked += asked.empty() ? "the local network" : " and the local network";
        }
        m_reporter.note(asked.empty() ? "no peer is connected, and there is no way to find one"
                                      : fmt::format("no peer is connected: asking {} every {}", asked,
                                                    format_duration(interval)));
    }
    m_noted_interval = lonely ? interval : milliseconds{0};
}

// Notes a lasting condition only once, and limits what is remembered.
void PeerWatch::note_once(const std::string& message)
{
    constexpr std::size_t most = 10'000;
    if (m_noted.size() < most && m_noted.insert(message).second) {
        m_reporter.note(message);
    }
}

bool PeerWatch::is_named(const Endpoint& peer) const
{
    const auto& named = m_endpoints.peers;
    return std::find(named.begin(), named.end(), peer) != named.end();
}

void PeerWatch::pause(const Endpoint& peer, milliseconds time)
{
    if (is_named(peer)) {
        m_pauses[peer] = m_looked + time;
    }
}

std::vector<Endpoint> PeerWatch::missing_peers() const
{
    std::vector<Endpoint> missing;
    for (const Endpoint& peer : m_endpoints.peers) {
        const auto pause = m_pauses.find(peer);
        const bool pauses = pause != m_pauses.end() && m_looked < pause->second;
        if (m_known_peers.count(to_string(peer)) == 0 && !pauses) {
            missing.push_back(peer);
        }
    }
    return missing;
}

} // namespace ezio

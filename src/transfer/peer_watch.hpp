// SPDX-License-Identifier: GPL-2.0-or-later
//
// A transfer's knowledge of its peers, from the session's events: which are connected, what they have, and
// what went wrong. It reports peers that come and go, warns once of each problem, and tells when to search
// for more. It has no session: its owner acts.
#pragma once

#include "ezio/net/local_discovery.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/report/warn_once.hpp"
#include "ezio/session/session_events.hpp"
#include "ezio/util/clock.hpp"
#include "transfer_policy.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ezio {

// Not thread-safe.
class PeerWatch {
  public:
    // `endpoints` and `reporter` must outlive it.
    PeerWatch(const NetworkEndpoints& endpoints, Reporter& reporter);

    // A session begins, and looks for peers in these places in addition to the named ones.
    void begin(std::size_t named_peers, unsigned trackers, bool local_discovery, Clock::time_point now);

    // Throws Error (ExitStatus::network) at the start; later, when an address has disappeared, it only warns.
    void handle(const ListenFailed& event);

    void handle(const Listening& event);
    void handle(const DiscoveryFailed& event);
    void handle(const ListenTroubled& event);
    void handle(const TrackerFailed& event);
    void handle(const TrackerAnswered& event);
    void handle(const PeerFound& event);
    void handle(const PeerUnreachable& event);
    void handle(const PeerGone& event);
    void handle(const WrongDataFrom& event);
    void handle(const PeerRefused& event);
    void handle(const PeerBlocked& event);
    void handle(const PieceRejected& event);
    void handle(const CompressionChanged& event);

    // Returns the host if it should be banned.
    [[nodiscard]] std::optional<boost::asio::ip::address> handle(const PeerBanned& event);
    [[nodiscard]] std::optional<boost::asio::ip::address> handle(const PeerMisbehaved& event);

    // `peers` are all connected peers.
    void look(const std::vector<ConnectedPeer>& peers, Clock::time_point now);

    enum class Search { none, local, everywhere };

    // Where to ask for peers now.
    [[nodiscard]] Search search(Clock::time_point now);

    // Which addresses of a discovered peer to try: its preferred one, or all of them once no peer was
    // reachable for longer than a connection takes.
    [[nodiscard]] LocalDiscovery::Reach reach(Clock::time_point now) const;

    [[nodiscard]] unsigned peers() const { return m_facts.peers; }
    [[nodiscard]] unsigned peers_complete() const { return m_peers_complete; }
    [[nodiscard]] unsigned peers_in_progress() const { return m_facts.peers - m_peers_complete; }
    [[nodiscard]] unsigned became_complete() const { return m_became_complete; } // since needed_from()
    [[nodiscard]] bool has_source() const { return m_has_source; } // a peer has data missing here

    // The named peers that are not connected. While any peer is connected, peers that could not be reached
    // pause for 5 seconds, so that they do not delay calls to others. Peers that disconnected at once pause
    // for a minute: usually there is another connection with them, begun by them or over another address. All
    // pauses end when any peer leaves.
    [[nodiscard]] std::vector<Endpoint> missing_peers() const;

    // When an incomplete peer was last connected; at least the time of needed_from().
    [[nodiscard]] Clock::time_point last_needed() const { return m_last_needed; }
    void needed_from(Clock::time_point time);

    [[nodiscard]] const SwarmFacts& facts() const { return m_facts; }

  private:
    void note_once(const std::string& message);
    [[nodiscard]] bool keep_out_from(unsigned bans, const boost::asio::ip::address& host);
    [[nodiscard]] bool is_named_for_another(const boost::asio::ip::address& host) const;
    void note_search(bool lonely, milliseconds interval);
    void pause(const Endpoint& peer, milliseconds time);
    [[nodiscard]] bool is_named(const Endpoint& peer) const;

    const NetworkEndpoints& m_endpoints;
    Reporter& m_reporter;
    WarnOnce m_warnings;
    SwarmFacts m_facts;
    unsigned m_peers_complete = 0;
    bool m_listens = false; // now or earlier
    bool m_serves = false;  // since needed_from()
    unsigned m_became_complete = 0;
    std::set<std::string> m_incomplete; // connected incomplete peers, if it serves
    bool m_has_source = false;
    std::set<std::string> m_known_peers;
    std::map<std::string, std::string> m_reasons;   // why peers that have disappeared left
    std::map<Endpoint, Clock::time_point> m_pauses; // of named peers: end of the pause
    Clock::time_point m_looked;                     // time of the last look()
    std::set<std::string> m_noted;
    std::map<std::string, unsigned> m_tracker_peers;     // last number of peers from each tracker
    milliseconds m_noted_interval{0};                    // of searches while no peer is connected
    std::map<boost::asio::ip::address, unsigned> m_bans; // bans or disconnections of each host
    std::set<Endpoint> m_banned;                         // peers that sent wrong data
    std::set<boost::asio::ip::address> m_kept_out;
    Clock::time_point m_last_needed;
    Clock::time_point m_lonely_since;
    Clock::time_point m_last_search;
};

} // namespace ezio

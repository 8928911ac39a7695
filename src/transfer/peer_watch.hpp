// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a transfer knows of the others, from what its session tells: who is connected and what they have, what
// went wrong with whom. It reports who comes and goes, warns once of each trouble, and says when it is time
// to look for more. It has no session: what is to be done, its owner does.
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

    // A session begins, and looks for peers in these places besides those that are named.
    void begin(std::size_t named_peers, unsigned trackers, bool local_discovery, Clock::time_point now);

    // Throws Error (ExitStatus::network) at the start; later, when an address has gone, it only warns.
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

    // Returns the host if no more connections with it are wanted.
    [[nodiscard]] std::optional<boost::asio::ip::address> handle(const PeerBanned& event);
    [[nodiscard]] std::optional<boost::asio::ip::address> handle(const PeerMisbehaved& event);

    // All that are connected now.
    void look(const std::vector<ConnectedPeer>& peers, Clock::time_point now);

    enum class Search { none, local, everywhere };

    // Where to ask now who is there.
    [[nodiscard]] Search search(Clock::time_point now);

    // At which addresses to connect with those that local service discovery finds: at all when for longer
    // than it takes nobody could be reached.
    [[nodiscard]] LocalDiscovery::Reach reach(Clock::time_point now) const;

    [[nodiscard]] unsigned peers() const { return m_facts.peers; }
    [[nodiscard]] unsigned peers_complete() const { return m_peers_complete; }
    [[nodiscard]] unsigned peers_in_progress() const { return m_facts.peers - m_peers_complete; }
    [[nodiscard]] unsigned became_complete() const { return m_became_complete; } // since needed_from()
    [[nodiscard]] bool has_source() const { return m_has_source; } // somebody has what is missing here

    // The named ones that are not connected. While somebody is, those that could not be reached pause for 5
    // seconds, so that they do not keep others from being called; and for a minute those that hung up at
    // once: mostly there is another connection with them, which they began, or by another address of theirs.
    // All pauses are over when anybody leaves.
    [[nodiscard]] std::vector<Endpoint> missing_peers() const;

    // When somebody who is not complete was connected last; or needed_from(), whatever is later.
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
    bool m_listens = false; // or did once
    bool m_serves = false;  // since needed_from()
    unsigned m_became_complete = 0;
    std::set<std::string> m_incomplete; // the connected ones, if it serves
    bool m_has_source = false;
    std::set<std::string> m_known_peers;
    std::map<std::string, std::string> m_reasons;   // why those left that were seen no more
    std::map<Endpoint, Clock::time_point> m_pauses; // of named ones, until when
    Clock::time_point m_looked;                     // when look() was called last
    std::set<std::string> m_noted;
    std::map<std::string, unsigned> m_tracker_peers;     // what each tracker has answered last
    milliseconds m_noted_interval{0};                    // of searching while nobody is connected
    std::map<boost::asio::ip::address, unsigned> m_bans; // of each host, or hung up on
    std::set<Endpoint> m_banned;                         // those that have sent wrong data
    std::set<boost::asio::ip::address> m_kept_out;
    Clock::time_point m_last_needed;
    Clock::time_point m_lonely_since;
    Clock::time_point m_last_search;
};

} // namespace ezio

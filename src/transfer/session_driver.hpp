// SPDX-License-Identifier: GPL-2.0-or-later
//
// Drives a session: handles its events, searches for peers when there are none, bans peers that send wrong
// data, and gives up when the transfer is hopeless.
#pragma once

#include "ezio/report/rate_meter.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/session/torrent_session.hpp"
#include "ezio/util/clock.hpp"
#include "peer_watch.hpp"
#include "wrong_data.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ezio {

// Not thread-safe.
class SessionDriver {
  public:
    // All references in `options`, `torrent`, `target` and `reporter` must outlive it. The session works from
    // here on, but has contacted no host.
    SessionDriver(const LoadedTorrent& torrent, Target& target, const TorrentSession::Options& options,
                  Reporter& reporter, Clock::time_point now);

    void start() { m_session.start(); }

    // See TorrentSession.
    void learn(const std::vector<std::uint32_t>& right, const std::vector<std::uint32_t>& missing)
    {
        m_session.learn(right, missing);
        m_disk = m_session.engine().facts();
    }

    // Handles events and updates the facts below; `phase` determines whether data is expected.
    // Throws Error: it cannot listen, or libtorrent gives up.
    void observe(Phase phase, Clock::time_point now);

    // Throws Error (ExitStatus::verification) when the missing data only arrives wrong.
    void refuse_wrong_source(Clock::time_point now) const;

    [[nodiscard]] const DiskEngine::Facts& disk() const { return m_disk; }
    [[nodiscard]] std::optional<IoFailure> disk_failure() const { return m_session.engine().failure(); }
    [[nodiscard]] const SessionCounts& counts() const { return m_counts; }
    [[nodiscard]] UnitExchange::Counts unit_counts() const { return m_session.unit_counts(); }
    [[nodiscard]] const Clients& clients() const { return m_clients; }
    [[nodiscard]] ClientList client_list() const { return m_session.client_list(); }
    [[nodiscard]] const PeerWatch& watch() const { return m_watch; }

    // See TorrentSession.
    void say(const ClientReport& report, Clock::time_point now) { m_session.say(report, now); }
    [[nodiscard]] bool is_heard() const { return m_session.is_heard(); }

    // Fills in what is known here: bytes exchanged, peers, and bytes on the disk.
    void describe(ProgressEvent& event) const;
    void describe(SummaryEvent& event) const;

    // What an incomplete fetch waits for, for the end of a sentence.
    [[nodiscard]] std::string describe_wait() const;

    // Only peers that are incomplete after this time count for last_needed().
    void needed_from(Clock::time_point time);

  private:
    void handle(const TorrentFailed& event);
    [[noreturn]] void refuse_disagreeing_hashes() const;
    void handle(const PeerBanned& event);
    void handle(const PeerMisbehaved& event);
    template <class Event>
    void handle(const Event& event)
    {
        m_watch.handle(event);
    }
    void look_at_peers(Phase phase);
    void look_at_rate();
    void look_for_peers();

    const LoadedTorrent& m_torrent;
    TorrentSession m_session;
    PeerWatch m_watch;
    WrongData m_wrong_data;
    DiskEngine::Facts m_disk;
    SessionCounts m_counts;
    RateMeter m_receiving;
    std::optional<Clock::time_point> m_first_data;
    Clients m_clients;
    Clock::time_point m_now;
    Clock::time_point m_last_look; // at the peers
};

} // namespace ezio

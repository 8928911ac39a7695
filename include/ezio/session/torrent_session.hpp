// SPDX-License-Identifier: GPL-2.0-or-later
//
// One torrent in one libtorrent session, with the disk engine and our plugins. It reports plain facts and
// events; the transfer decides what they mean.
#pragma once

#include "ezio/compression/unit_exchange.hpp"
#include "ezio/engine/disk_engine.hpp"
#include "ezio/net/addresses.hpp"
#include "ezio/net/local_discovery.hpp"
#include "ezio/net/network_options.hpp"
#include "ezio/net/tls_credentials.hpp"
#include "ezio/peers/peer_ledger.hpp"
#include "ezio/peers/wrong_blocks.hpp"
#include "ezio/session/network_session.hpp"
#include "ezio/session/session_events.hpp"
#include "ezio/session/session_settings.hpp"
#include "ezio/session/tls_handshake_guard.hpp"
#include "ezio/swarm/report_sender.hpp"
#include "ezio/swarm/swarm.hpp"
#include "ezio/target/target.hpp"
#include "ezio/torrent/torrent_file.hpp"

#include <libtorrent/fwd.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ezio {

// All calls come from one thread. It works from its construction, but contacts no host before start().
class TorrentSession {
  public:
    struct Options {
        Swarm::Kind kind;
        const NetworkOptions& network;
        const NetworkEndpoints& endpoints; // the names in `network`, resolved
        const TlsCredentials* tls;         // null exactly when the torrent names no CA
        std::uint64_t memory;              // bytes for received and cached data
        std::vector<bool> on_disk;         // for each piece, whether the target is known to hold it
        std::vector<bool> not_yet_known;   // for each piece, whether that will be found out; may be empty
        bool report;                       // to connected seeders: see say()
        std::function<void()> wake;        // there may be news; called on any thread
    };

    // All references must outlive the session.
    TorrentSession(const LoadedTorrent& torrent, Target& target, Options options);
    ~TorrentSession(); // tells the tracker that it leaves, which can take a second
    TorrentSession(const TorrentSession&) = delete;
    TorrentSession& operator=(const TorrentSession&) = delete;

    void start();

    // The result for pieces that were not known: the target holds them, or they have to be fetched.
    void learn(const std::vector<std::uint32_t>& right, const std::vector<std::uint32_t>& missing);

    // To connect and to search. start() announces the torrent locally.
    [[nodiscard]] NetworkSession& network() { return *m_session; }

    // Sets the report for seeders, if it reports. is_heard() tells whether all of them have received a final
    // one.
    void say(const ClientReport& report, Clock::time_point now);
    [[nodiscard]] bool is_heard() const { return !m_sender || m_sender->is_heard(); }

    // See request_seconds().
    void ask_in_advance(int seconds);

    // Also connects to discovered peers, as far as `reach` says.
    [[nodiscard]] std::vector<SessionEvent> take_events(LocalDiscovery::Reach reach);
    [[nodiscard]] std::vector<ConnectedPeer> peers() const;
    [[nodiscard]] SessionCounts counts() const;
    [[nodiscard]] UnitExchange::Counts unit_counts() const;
    [[nodiscard]] bool have_all() const { return m_have_all; } // from the start
    [[nodiscard]] std::vector<PeerTotals> peer_totals() const { return m_ledger.totals(); }
    [[nodiscard]] Clients clients() const { return m_swarm.clients(); } // if have_all()
    [[nodiscard]] ClientList client_list() const { return m_swarm.client_list(); }
    [[nodiscard]] unsigned tracker_count() const { return m_tracker_count; }
    [[nodiscard]] const DiskEngine& engine() const { return *m_engine; }

  private:
    [[nodiscard]] lt::session_params session_params();
    void attach(lt::io_context& context);
    [[nodiscard]] lt::add_torrent_params torrent_params();
    void want(const std::vector<std::uint32_t>& pieces);
    void look_at_handshakes();

    const LoadedTorrent& m_torrent;
    Target& m_target;
    const Options m_options;
    const bool m_have_all;       // from the start
    std::size_t m_not_yet_known; // number of pieces
    unsigned m_tracker_count = 0;
    int m_request_seconds = first_request_seconds;
    bool m_is_unlimited = false;    // so that the last report's acknowledgement is not held up
    DiskEngine* m_engine = nullptr; // the session's
    Swarm m_swarm;
    std::optional<TlsHandshakeGuard> m_handshakes; // of TLS
    PeerLedger m_ledger;
    WrongBlocks m_wrong_blocks;
    std::optional<UnitExchange> m_exchange;
    std::optional<ReportSender> m_sender;
    std::optional<NetworkSession> m_session; // ends before the objects that its thread uses
};

} // namespace ezio

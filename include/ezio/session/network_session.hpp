// SPDX-License-Identifier: GPL-2.0-or-later
//
// A libtorrent session with one torrent. It has the parts that fetching metadata and transferring data share:
// connecting, searching, banning and alerts.
#pragma once

#include "ezio/net/addresses.hpp"
#include "ezio/net/local_discovery.hpp"
#include "ezio/net/network_options.hpp"
#include "ezio/session/network_thread.hpp"
#include "ezio/session/session_events.hpp"
#include "ezio/session/session_settings.hpp"

#include <libtorrent/fwd.hpp>
#include <libtorrent/ip_filter.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_handle.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ezio {

// The settings, and the address filter, which holds before there is a socket.
[[nodiscard]] lt::session_params session_params(const NetworkOptions& network,
                                                const NetworkEndpoints& endpoints, Transport transport);

// Sets the trackers as the options say, and turns off libtorrent's own ways to search.
void prepare_torrent(lt::add_torrent_params& params, const NetworkOptions& network);

// All calls come from one thread.
class NetworkSession {
  public:
    // `wake` is called on any thread when there may be news. Throws Error when a thread cannot be started.
    NetworkSession(lt::session_params params, std::function<void()> wake);
    ~NetworkSession(); // calls end() and waits
    NetworkSession(const NetworkSession&) = delete;
    NetworkSession& operator=(const NetworkSession&) = delete;

    void add_torrent(lt::add_torrent_params params);
    void discover_locally(std::string info_hash, const NetworkEndpoints& endpoints);

    // Tries these peers soon unless they are connected, even if they have failed before.
    void connect(const std::vector<Endpoint>& peers);

    // Accepts and makes no more connections with this host.
    void keep_out(const boost::asio::ip::address& host);

    // Announces this torrent on the local network, after discover_locally().
    void announce_locally();

    // Asks the trackers for peers. They would otherwise be asked again only minutes later.
    void announce_to_trackers();

    // Connects to the peers that were found on the local network, within `reach`, and returns them.
    [[nodiscard]] std::vector<SessionEvent> take_found(LocalDiscovery::Reach reach);

    // The alerts since the last call; valid until the next one. Throws again what was thrown on the network
    // thread.
    [[nodiscard]] std::vector<lt::alert*> take_alerts();

    // Closes the sockets and starts to notify the trackers. Only the destructor may be called afterwards.
    void end();

    [[nodiscard]] bool discovers_locally() const { return m_discovery.has_value(); }
    [[nodiscard]] lt::session& session() { return *m_session; }
    [[nodiscard]] lt::torrent_handle torrent() const { return m_torrent; }

  private:
    NetworkThread m_thread;
    lt::session_proxy m_ending; // destroyed after the thread has ended, and before its io_context
    lt::ip_filter m_filter;
    std::optional<lt::session> m_session;
    lt::torrent_handle m_torrent;
    std::optional<LocalDiscovery> m_discovery;
};

} // namespace ezio

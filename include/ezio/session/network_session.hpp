// SPDX-License-Identifier: GPL-2.0-or-later
//
// libtorrent's session with one torrent in it, as far as it is the same for a torrent's metadata and for its
// data: connecting, searching, banning, and what libtorrent has to tell.
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

// Settings, and the filter of addresses, which holds before there is a socket.
[[nodiscard]] lt::session_params session_params(const NetworkOptions& network,
                                                const NetworkEndpoints& endpoints, Transport transport);

// Has the torrent ask only the trackers that the options leave it, and search by none of libtorrent's means.
void prepare_torrent(lt::add_torrent_params& params, const NetworkOptions& network);

// All calls come from one thread.
class NetworkSession {
  public:
    // `wake`: there may be news; called on any thread. Throws Error when a thread cannot be started.
    NetworkSession(lt::session_params params, std::function<void()> wake);
    ~NetworkSession(); // end(), and waits
    NetworkSession(const NetworkSession&) = delete;
    NetworkSession& operator=(const NetworkSession&) = delete;

    void add_torrent(lt::add_torrent_params params);
    void discover_locally(std::string info_hash, const NetworkEndpoints& endpoints);

    // Tries these soon, unless they are connected; again, when they have failed.
    void connect(const std::vector<Endpoint>& peers);

    // No connections with this host any more.
    void keep_out(const boost::asio::ip::address& host);

    // Says to the local network that this torrent is here, if it is to be discovered.
    void announce_locally();

    // Asks the trackers who is there. They would otherwise be asked again in minutes.
    void announce_to_trackers();

    // Connects with those who were found nearby, as far as `reach` says, and tells who they are.
    [[nodiscard]] std::vector<SessionEvent> take_found(LocalDiscovery::Reach reach);

    // What libtorrent has told since the last call; valid until the next one. Throws what was thrown on the
    // network thread.
    [[nodiscard]] std::vector<lt::alert*> take_alerts();

    // Closes the sockets and begins to say goodbye to the trackers; nothing but the destructor is to be
    // called afterwards.
    void end();

    [[nodiscard]] bool discovers_locally() const { return m_discovery.has_value(); }
    [[nodiscard]] lt::session& session() { return *m_session; }
    [[nodiscard]] lt::torrent_handle torrent() const { return m_torrent; }

  private:
    NetworkThread m_thread;
    lt::session_proxy m_ending; // ends with the thread joined, and before its io_context
    lt::ip_filter m_filter;
    std::optional<lt::session> m_session;
    lt::torrent_handle m_torrent;
    std::optional<LocalDiscovery> m_discovery;
};

} // namespace ezio

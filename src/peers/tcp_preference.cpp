// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peers/tcp_preference.hpp"

#include "ezio/net/addresses.hpp"
#include "ezio/peers/peer_plugins.hpp"

#include <libtorrent/error_code.hpp>
#include <libtorrent/operations.hpp>
#include <libtorrent/peer_info.hpp>
#include <libtorrent/torrent_handle.hpp>

#include <cstddef>
#include <memory>
#include <set>
#include <utility>

namespace ezio {

namespace {

// A limit: connections from ever new ports must not fill the memory.
constexpr std::size_t most_called_back = 10'000;

struct CalledBack {
    const SentAway sent_away;
    std::set<lt::tcp::endpoint> peers = {};
};

class IncomingPeer final : public lt::peer_plugin {
  public:
    IncomingPeer(std::shared_ptr<CalledBack> called_back, lt::peer_connection_handle connection)
        : m_called_back(std::move(called_back)), m_connection(std::move(connection))
    {}

    // The first message after the handshake; the connection cannot be ended during that. The peer must not
    // have requested anything yet: a uTP connection with unsent data stays open for minutes without being
    // served, and libtorrent then takes the TCP call for a second connection to the same peer and ends it.
    bool on_extension_handshake(const lt::bdecode_node& handshake) override
    {
        if (look() && handshake.dict_find_int_value("upload_only") == 0) { // BEP 21
            m_called_back->sent_away(to_string(m_connection.remote()));
        }
        return true;
    }
    bool on_interested() override { return look(); }
    bool on_request(const lt::peer_request&) override { return look(); }
    void tick() override { look(); } // for a peer that has sent nothing

  private:
    // Returns whether the connection was ended.
    bool look()
    {
        if (m_seen || m_connection.is_disconnecting()) {
            return m_connection.is_disconnecting();
        }
        m_seen = true;
        lt::peer_info info;
        m_connection.get_peer_info(info); // only possible once it belongs to a torrent
        const lt::tcp::endpoint remote = m_connection.remote();
        if (m_called_back->peers.size() >= most_called_back) {
            m_called_back->peers.clear(); // some are then called back once more
        }
        const bool call_back =
            (info.flags & lt::peer_info::utp_socket) && m_called_back->peers.insert(remote).second;
        if (call_back) {
            const lt::torrent_handle torrent = m_connection.associated_torrent();
            m_connection.disconnect(lt::errors::optimistic_disconnect, lt::operation_t::bittorrent);
            torrent.connect_peer(remote);
        }
        return call_back;
    }

    const std::shared_ptr<CalledBack> m_called_back;
    lt::peer_connection_handle m_connection;
    bool m_seen = false;
};

bool is_incoming(const lt::peer_connection_handle& connection)
{
    return is_bittorrent(connection) && !connection.is_outgoing();
}

} // namespace

void prefer_tcp(lt::add_torrent_params& params, SentAway sent_away)
{
    add_peer_plugins<IncomingPeer>(params, std::make_shared<CalledBack>(CalledBack{std::move(sent_away)}),
                                   is_incoming);
}

} // namespace ezio

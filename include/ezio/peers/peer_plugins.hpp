// SPDX-License-Identifier: GPL-2.0-or-later
//
// Base classes and helpers for the plugins that watch a torrent's connections.
#pragma once

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/extensions.hpp>
#include <libtorrent/peer_connection_handle.hpp>
#include <libtorrent/peer_request.hpp>
#include <libtorrent/string_view.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace ezio {

// Selects the connections that a plugin is attached to.
using WantsConnection = bool (*)(const lt::peer_connection_handle&);

// All but connections to web seeds.
[[nodiscard]] bool is_bittorrent(const lt::peer_connection_handle& connection);

// Attaches a Peer(shared, connection) to each wanted connection of its torrent.
template <typename Peer, typename Shared>
class PeerPlugins final : public lt::torrent_plugin {
  public:
    PeerPlugins(std::shared_ptr<Shared> shared, WantsConnection wants)
        : m_shared(std::move(shared)), m_wants(wants)
    {}

    std::shared_ptr<lt::peer_plugin> new_connection(const lt::peer_connection_handle& connection) override
    {
        return m_wants(connection) ? std::make_shared<Peer>(m_shared, connection) : nullptr;
    }

  private:
    const std::shared_ptr<Shared> m_shared;
    const WantsConnection m_wants;
};

// Adds such plugins to the torrent that is about to be added.
template <typename Peer, typename Shared>
void add_peer_plugins(lt::add_torrent_params& params, std::shared_ptr<Shared> shared,
                      WantsConnection wants = is_bittorrent)
{
    params.extensions.emplace_back(
        [shared = std::move(shared), wants](const lt::torrent_handle&, lt::client_data_t) {
            return std::make_shared<PeerPlugins<Peer, Shared>>(shared, wants);
        });
}

// A plugin that is also told of requests that another plugin answers instead of libtorrent: neither
// sent_piece() nor sent_payload() is called for these answers.
class AnswerListener : public lt::peer_plugin {
  public:
    // The block was handed to the connection. It takes `wire_bytes` on the network, which can be fewer than
    // its length.
    virtual void sent_block(const lt::peer_request& block, std::uint64_t wire_bytes) = 0;

    virtual void sent_rejection(const lt::peer_request&) {}
};

// The type names of the plugins that are AnswerListeners.
inline constexpr const char* swarm_plugin = "ezio_swarm";
inline constexpr const char* ledger_plugin = "ezio_ledger";
inline constexpr const char* guard_plugin = "ezio_guard"; // reply_limits.hpp

// The type of the plugin that receives compressed units; it needs to know each requested block.
inline constexpr const char* units_plugin = "ezio_units";

// The connection's plugin of that type, or nullptr. It lives as long as the connection.
[[nodiscard]] AnswerListener* find_listener(const lt::peer_connection_handle& connection, const char* type);

// Where the other end listens, as text: with the port from its extension handshake, or without a port if it
// names none.
[[nodiscard]] std::string listen_place(const lt::peer_connection_handle& connection, std::uint16_t port);

// The number that the sender of the extension handshake gave to this extension; 0: not supported.
[[nodiscard]] std::uint8_t extension_id(const lt::bdecode_node& handshake, const char* extension);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the plugins that watch a torrent's connections have in common.
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

// Of which connections a plugin wants to know.
using WantsConnection = bool (*)(const lt::peer_connection_handle&);

// All but those with web seeds.
[[nodiscard]] bool is_bittorrent(const lt::peer_connection_handle& connection);

// Gives a Peer(shared, connection) to each connection of its torrent that is wanted.
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

// Makes them part of the torrent that is about to be added.
template <typename Peer, typename Shared>
void add_peer_plugins(lt::add_torrent_params& params, std::shared_ptr<Shared> shared,
                      WantsConnection wants = is_bittorrent)
{
    params.extensions.emplace_back(
        [shared = std::move(shared), wants](const lt::torrent_handle&, lt::client_data_t) {
            return std::make_shared<PeerPlugins<Peer, Shared>>(shared, wants);
        });
}

// A plugin that also hears of requests which another plugin answers in libtorrent's place: there is neither
// sent_piece() nor sent_payload() for what that sends.
class AnswerListener : public lt::peer_plugin {
  public:
    // The block was given to the connection. It takes `wire_bytes` of the network, which may be fewer than it
    // has.
    virtual void sent_block(const lt::peer_request& block, std::uint64_t wire_bytes) = 0;

    virtual void sent_rejection(const lt::peer_request&) {}
};

// The types of the plugins that are AnswerListeners.
inline constexpr const char* swarm_plugin = "ezio_swarm";
inline constexpr const char* ledger_plugin = "ezio_ledger";

// The type of the plugin that takes units of blocks, and has to know of every block that is asked for.
inline constexpr const char* units_plugin = "ezio_units";

// The connection's plugin of that type; nullptr when there is none. It lives as long as the connection.
[[nodiscard]] AnswerListener* find_listener(const lt::peer_connection_handle& connection, const char* type);

// Where the other end listens, as text: with the port that it names in its extension handshake, or without
// one where it names none.
[[nodiscard]] std::string listen_place(const lt::peer_connection_handle& connection, std::uint16_t port);

// The number under which the sender of the extension handshake takes messages of this extension; 0: it does
// not.
[[nodiscard]] std::uint8_t extension_id(const lt::bdecode_node& handshake, const char* extension);

} // namespace ezio

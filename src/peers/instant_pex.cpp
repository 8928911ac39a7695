// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peers/instant_pex.hpp"

#include "ezio/peers/peer_messages.hpp"
#include "ezio/peers/peer_plugins.hpp"

#include <libtorrent/bencode.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/error_code.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>

namespace ezio {

namespace {

constexpr std::size_t most_at_once = 200; // peers

class IntroducedPeer;

using Present = std::map<const IntroducedPeer*, lt::tcp::endpoint>; // where each peer listens

class IntroducedPeer final : public lt::peer_plugin {
  public:
    IntroducedPeer(std::shared_ptr<Present> present, lt::peer_connection_handle connection)
        : m_present(std::move(present)), m_connection(std::move(connection))
    {}

    bool on_extension_handshake(const lt::bdecode_node& handshake) override
    {
        if (m_connection.is_disconnecting()) {
            return true; // another plugin has disconnected it, and on_disconnect() was called
        }
        const int exchange = extension_id(handshake, "ut_pex");
        if (m_present->count(this) == 0 && exchange != 0) {
            introduce_others(exchange);
        }
        lt::tcp::endpoint place = m_connection.remote();
        if (!m_connection.is_outgoing()) {
            place.port(static_cast<std::uint16_t>(handshake.dict_find_int_value("p")));
        }
        if (place.port() != 0) {
            m_present->insert_or_assign(this, place);
        }
        return true;
    }

    void on_disconnect(const lt::error_code&) override { m_present->erase(this); }

  private:
    void introduce_others(int exchange)
    {
        std::vector<lt::tcp::endpoint> others;
        for (const auto& [peer, place] : *m_present) {
            if (others.size() < most_at_once) {
                others.push_back(place);
            }
        }
        const std::string message = introduction(others, exchange);
        if (!message.empty() && !m_connection.is_disconnecting()) {
            m_connection.send_buffer(message.data(), static_cast<int>(message.size()));
        }
    }

    const std::shared_ptr<Present> m_present;
    lt::peer_connection_handle m_connection;
};

} // namespace

std::string introduction(const std::vector<lt::tcp::endpoint>& peers, int extension_id)
{
    std::string added;
    std::string added6;
    for (const lt::tcp::endpoint& peer : peers) {
        const lt::address address = peer.address();
        if (address.is_v4()) {
            put_big_endian(added, address.to_v4().to_uint(), 4);
            put_big_endian(added, peer.port(), 2);
        } else if (!address.to_v6().is_link_local()) {
            const auto bytes = address.to_v6().to_bytes();
            added6.append(bytes.begin(), bytes.end());
            put_big_endian(added6, peer.port(), 2);
        }
    }
    if (added.empty() && added6.empty()) {
        return "";
    }
    constexpr std::size_t v4_size = 6;
    constexpr std::size_t v6_size = 18;
    lt::entry peer_lists;
    peer_lists["added.f"] = std::string(added.size() / v4_size, '\0'); // no flags are known
    peer_lists["added"] = std::move(added);
    peer_lists["added6.f"] = std::string(added6.size() / v6_size, '\0');
    peer_lists["added6"] = std::move(added6);
    std::string payload;
    lt::bencode(std::back_inserter(payload), peer_lists);
    std::string message;
    put_extended(message, extension_id, payload);
    return message;
}

void add_instant_pex(lt::add_torrent_params& params)
{
    add_peer_plugins<IntroducedPeer>(params, std::make_shared<Present>());
}

} // namespace ezio

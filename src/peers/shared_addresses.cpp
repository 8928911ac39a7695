// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peers/shared_addresses.hpp"

#include "ezio/peers/duplicate_peers.hpp"
#include "ezio/peers/peer_plugins.hpp"

#include <libtorrent/entry.hpp>
#include <libtorrent/error_code.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

namespace ezio {

namespace {

constexpr const char* port_key = "p";
constexpr const char* host_key = "ezio_host";

class SharingPeer;

// Where the other ends of the connections listen, as libtorrent knows it.
using Places = std::multimap<lt::tcp::endpoint, const SharingPeer*>;

class SharingPeer final : public lt::peer_plugin {
  public:
    SharingPeer(std::shared_ptr<Places> places, lt::peer_connection_handle connection)
        : m_places(std::move(places)),
          m_connection(std::move(connection)), m_claim{"", m_connection.is_outgoing()}
    {
        if (m_claim.outgoing) {
            m_place = m_places->emplace(m_connection.remote(), this);
        }
    }

    void add_handshake(lt::entry& handshake) override
    {
        handshake.dict()[host_key] = m_connection.local_endpoint().address().to_string();
    }

    bool on_extension_handshake(const lt::bdecode_node& handshake) override
    {
        if (m_connection.is_disconnecting()) {
            return true; // another plugin has disconnected it, and on_disconnect() was called
        }
        m_claim.process = process_id(handshake);
        const auto port = static_cast<std::uint16_t>(handshake.dict_find_int_value(port_key));
        if (port == 0 || m_place) {
            return true;
        }
        const lt::tcp::endpoint place(m_connection.remote().address(), port);
        if (is_taken(place)) {
            hide_port(handshake);
        } else {
            m_place = m_places->emplace(place, this);
        }
        return true;
    }

    void on_disconnect(const lt::error_code&) override
    {
        if (m_place) {
            m_places->erase(*m_place);
            m_place.reset();
        }
    }

  private:
    [[nodiscard]] bool is_taken(const lt::tcp::endpoint& place) const
    {
        const auto [first, last] = m_places->equal_range(place);
        return std::any_of(first, last, [this](const Places::value_type& entry) {
            return are_different(m_claim, entry.second->m_claim);
        });
    }

    const std::shared_ptr<Places> m_places;
    const lt::peer_connection_handle m_connection;
    PlaceClaim m_claim;
    std::optional<Places::iterator> m_place; // while connected, if it has one
};

} // namespace

bool are_different(const PlaceClaim& one, const PlaceClaim& other)
{
    if (one.process.empty() || other.process.empty()) {
        return !one.outgoing && !other.outgoing;
    }
    return one.process != other.process;
}

// The node points into libtorrent's receive buffer, and the number is parsed from there at each access.
void hide_port(const lt::bdecode_node& handshake)
{
    if (const lt::bdecode_node port = handshake.dict_find_int(port_key)) {
        const lt::span<const char> text = port.data_section(); // "i6881e"
        std::fill(const_cast<char*>(text.begin()) + 1, const_cast<char*>(text.end()) - 1, '0');
    }
}

std::string host_behind(const lt::bdecode_node& handshake, const lt::address& seen)
{
    lt::error_code error;
    const auto host = lt::make_address(std::string(handshake.dict_find_string_value(host_key)), error);
    return error || host == seen ? "" : host.to_string();
}

void share_addresses(lt::add_torrent_params& params)
{
    add_peer_plugins<SharingPeer>(params, std::make_shared<Places>());
}

} // namespace ezio

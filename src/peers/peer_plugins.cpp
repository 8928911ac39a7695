// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/peers/peer_plugins.hpp"

#include "ezio/net/addresses.hpp"

namespace ezio {

bool is_bittorrent(const lt::peer_connection_handle& connection)
{
    return connection.type() == lt::connection_type::bittorrent;
}

AnswerListener* find_listener(const lt::peer_connection_handle& connection, const char* type)
{
    const auto* found = static_cast<const AnswerListener*>(connection.find_plugin(type));
    return const_cast<AnswerListener*>(found); // lookup of a plugin only returns a constant
}

std::string listen_place(const lt::peer_connection_handle& connection, std::uint16_t port)
{
    Endpoint endpoint = connection.remote();
    if (!connection.is_outgoing()) {
        if (port == 0) {
            return endpoint.address().to_string();
        }
        endpoint.port(port);
    }
    return to_string(endpoint);
}

std::uint8_t extension_id(const lt::bdecode_node& handshake, const char* extension)
{
    const lt::bdecode_node messages = handshake.dict_find_dict("m");
    const auto id = messages ? messages.dict_find_int_value(extension) : 0;
    return id > 0 && id < 256 ? static_cast<std::uint8_t>(id) : 0;
}

} // namespace ezio

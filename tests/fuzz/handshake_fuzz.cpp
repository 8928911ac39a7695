// SPDX-License-Identifier: GPL-2.0-or-later
// The extension handshake of any peer, as the plugins look at it.
#include "ezio/peers/duplicate_peers.hpp"
#include "ezio/peers/peer_plugins.hpp"
#include "ezio/peers/shared_addresses.hpp"
#include "ezio/util/require.hpp"

#include <libtorrent/error_code.hpp>

#include <string>

using namespace ezio;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string message(reinterpret_cast<const char*>(data), size); // a part of it is overwritten
    lt::error_code error;
    const lt::bdecode_node handshake = lt::bdecode(message, error);
    if (error || handshake.type() != lt::bdecode_node::dict_t) {
        return 0;
    }
    for (const char* extension : {"ezio_units1", "lt_donthave", "ut_pex"}) {
        (void)extension_id(handshake, extension);
    }
    require(process_id(handshake).size() <= 64);
    for (const char* seen : {"192.0.2.1", "2001:db8::1"}) {
        const lt::address address = lt::make_address(seen);
        const std::string host = host_behind(handshake, address);
        require(host != seen && host.size() <= message.size() + 45);
    }
    hide_port(handshake);
    require(message.size() == size && handshake.dict_find_int_value("p") == 0);
    return 0;
}

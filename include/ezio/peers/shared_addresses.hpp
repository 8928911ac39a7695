// SPDX-License-Identifier: GPL-2.0-or-later
//
// Supports several clients behind one address: a NAT router, or the proxy of a container's published port.
// Each of them reports port 6881 as its listening port, as on its own host. libtorrent takes two connections
// with the same address and listening port for the same peer and closes the second: clients were served one
// after the other.
//
// So the port of the second one is hidden from libtorrent: it is overwritten with 0 in the extension
// handshake before libtorrent reads it. Only one of the clients, to which the router forwards, could be
// reached there anyway.
#pragma once

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/address.hpp>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/socket.hpp>

#include <string>

namespace ezio {

// A connection whose other end claims to listen at a place: its address as seen here, and the port that it
// names.
struct PlaceClaim {
    std::string process; // see process_id(); empty: not sent
    bool outgoing;       // this end connected to that place
};

// Whether two connections that claim one place belong to different processes. If one of them sends no process
// id, two incoming ones are different: a client connects only once.
[[nodiscard]] bool are_different(const PlaceClaim& one, const PlaceClaim& other);

// Overwrites the listening port in an extension handshake with 0.
void hide_port(const lt::bdecode_node& handshake);

// The sender's own address, if the extension handshake has one that differs from the address `seen` here: the
// sender is behind a router or a proxy. Otherwise empty, also if the handshake's address is invalid.
[[nodiscard]] std::string host_behind(const lt::bdecode_node& handshake, const lt::address& seen);

// Adds this behaviour to a torrent that is about to be added to a session. Call it after refuse_duplicates(),
// which closes connections to the same process, and after the plugins that need the port.
void share_addresses(lt::add_torrent_params& params);

} // namespace ezio

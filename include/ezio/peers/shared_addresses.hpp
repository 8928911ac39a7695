// SPDX-License-Identifier: GPL-2.0-or-later
//
// Several clients behind one address: behind a NAT router, or connected to a container through the proxy of
// its published port. Each says that it listens on port 6881, as they do on their own hosts. libtorrent takes
// two connections with one address and one listening port for the same peer, and hangs up on the second:
// clients were served one after the other.
//
// So the port of the second is hidden from libtorrent: what it says in the extension handshake is made 0
// before libtorrent reads it. Nobody could be reached at that place anyway, but the one that the router
// forwards to.
#pragma once

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/address.hpp>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/socket.hpp>

#include <string>

namespace ezio {

// A connection whose other end listens at a place: the address it has here, and the port that it names.
struct PlaceClaim {
    std::string process; // see process_id(); empty: it does not say
    bool outgoing;       // connected from here to that place
};

// Whether two connections whose other ends claim one place are with different processes. Where one does not
// say which it is, two that both have come from there are: a client connects once.
[[nodiscard]] bool are_different(const PlaceClaim& one, const PlaceClaim& other);

// Makes the listening port in an extension handshake 0.
void hide_port(const lt::bdecode_node& handshake);

// The address that the sender of an extension handshake has itself, if that is another one than the address
// `seen` here: it is behind a router or a proxy. Otherwise, and where it says nothing that makes sense,
// empty.
[[nodiscard]] std::string host_behind(const lt::bdecode_node& handshake, const lt::address& seen);

// Adds that behaviour to a torrent that is about to be added to a session. After refuse_duplicates(), which
// hangs up on connections with the same process, and after those who want to know the port.
void share_addresses(lt::add_torrent_params& params);

} // namespace ezio

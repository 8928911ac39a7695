// SPDX-License-Identifier: GPL-2.0-or-later
//
// One connection to each peer, however many addresses it has. libtorrent 2 takes a connection from another
// address for another peer, because it uses a different peer id on every connection. Two hosts with IPv4 and
// IPv6 had three connections, each with its share of the bandwidth, and the seeder saw three clients.
//
// Each process of this program sends an id of its own in the extension handshake. Of two connections to the
// same process, both ends keep the same one: IPv4 rather than IPv6, because its headers are shorter.
// Connections over different networks of one family both stay, because each may use another cable.
#pragma once

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/socket.hpp>

#include <string>

namespace ezio {

// A new random id for this process.
[[nodiscard]] std::string make_process_id();

// The id of the process that sent the handshake; empty if there is none.
[[nodiscard]] std::string process_id(const lt::bdecode_node& handshake);

// One of several connections between two processes, as both ends see it.
struct PeerLink {
    lt::tcp::endpoint initiator; // the end that connected
    lt::tcp::endpoint acceptor;
    std::string initiator_id;

    // Whether only one of the two connections may stay.
    [[nodiscard]] bool repeats(const PeerLink& other) const;
    // Whether this one has to go, and not the older one. Both ends come to the same result. A peer that
    // connects again has lost the older connection, whatever the other end believes.
    [[nodiscard]] bool is_worse_than(const PeerLink& older) const;
};

// Adds this behaviour to a torrent that is about to be added to a session. `own_id` is this process's id.
void refuse_duplicates(lt::add_torrent_params& params, const std::string& own_id);

} // namespace ezio

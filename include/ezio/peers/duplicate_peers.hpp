// SPDX-License-Identifier: GPL-2.0-or-later
//
// One connection with each peer, however many addresses it has. libtorrent 2 takes what comes from another
// address for another peer, as it goes by another peer id on every connection: two hosts with IPv4 and IPv6
// had three connections, each with its share of the bandwidth, and the seeder saw three clients.
//
// Each process of this program says in the extension handshake which one it is. Of two connections with the
// same one, both ends keep the same: IPv4, whose headers are shorter, rather than IPv6. Connections by
// different networks of one family both stay: each may be another cable.
#pragma once

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/bdecode.hpp>
#include <libtorrent/socket.hpp>

#include <string>

namespace ezio {

// A new one, for this process.
[[nodiscard]] std::string make_process_id();

// Which process speaks; empty when it does not say.
[[nodiscard]] std::string process_id(const lt::bdecode_node& handshake);

// One of the connections between two processes, as both ends see it.
struct PeerLink {
    lt::tcp::endpoint initiator; // who has connected
    lt::tcp::endpoint acceptor;
    std::string initiator_id;

    // Whether only one of them should be.
    [[nodiscard]] bool repeats(const PeerLink& other) const;
    // Which, then: not this one, or not the older one. Both ends say the same. Who connects once more has
    // lost the older one, whatever the other end thinks of it.
    [[nodiscard]] bool is_worse_than(const PeerLink& older) const;
};

// Adds that behaviour to a torrent that is about to be added to a session of the process `own_id`.
void refuse_duplicates(lt::add_torrent_params& params, const std::string& own_id);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Makes swarms with few peers fast: a libtorrent plugin in every node. It uses plain BitTorrent; with other
// clients on either side the swarm is at worst as slow as theirs.
//
// On the seeder (steering): libtorrent's leechers choose at random among the pieces that only the seed has.
// They do not see each other's choices until the pieces are complete, and so fetch many of them twice; with
// pieces of 8 MiB and more they ignore suggestions. So the seeder shows each peer only the pieces that it
// should fetch from here. It withdraws its bitfield with DONT_HAVE as soon as the peer announces support for
// that, and shows with HAVE the pieces that PieceAssigner gives to this peer. It shows everything when every
// piece is with some peer, or when its link is mostly idle, because some peers are slow to pass on what they
// have or have begun. Steering starts again once the last of those peers has left.
// Peers that connect as seeds are not steered: they need nothing from us, may leave, and may lie. Requests
// that a peer sent before it saw the DONT_HAVEs are rejected: each peer begins with a random piece, and of 32
// at once none would complete before all do. (Measured: 32 hosts on 25 Mbit links receive at 20 Mbit after 6
// s instead of 9.) Peers without DONT_HAVE see everything, and pieces that they request count as given to
// them.
//
// On every node (nudging): a libtorrent leecher that has no piece left to request from a peer does not look
// again when that peer announces one, for up to five seconds. A second UNCHOKE makes it look. And a peer that
// sends NOT_INTERESTED is not choked for it, which saves two round trips when it is interested again.
//
// Hooks run on the network thread. clients() and client_list() may be called from any thread.
#pragma once

#include "ezio/report/client_status.hpp"
#include "ezio/swarm/client_registry.hpp"

#include <libtorrent/add_torrent_params.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace ezio {

class SwarmState;

class Swarm {
  public:
    enum class Steering { no, yes };  // yes for a node that has everything from the start
    enum class Kind { client, seed }; // announced to others, which do not count seeds as clients

    Swarm(Steering steering, Kind kind, std::uint32_t pieces, std::uint64_t piece_length,
          std::uint64_t total_bytes);
    ~Swarm();

    // Adds the plugin to the torrent that the process `own_id` is about to add (see make_process_id). The
    // session must end before the Swarm.
    void extend(lt::add_torrent_params& params, const std::string& own_id);

    // See ClientRegistry. Any thread.
    void sent_away(const std::string& address);

    // The totals for all clients, if Steering is yes.
    [[nodiscard]] Clients clients() const;

    // The clients: those that report, in order of arrival, then those that do not.
    [[nodiscard]] ClientList client_list() const;

  private:
    std::shared_ptr<SwarmState> m_state;
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// What makes few peers fast: a libtorrent plugin in every node. It speaks plain BitTorrent, so that other
// clients on either side are at worst as slow as they are among themselves.
//
// On the seeder (steering): libtorrent's leechers choose at random among the pieces that only the seed has,
// do not see each other's choices until the pieces are complete, and so fetch many twice; and with pieces of
// 8 MiB and more they ignore suggestions. So the seeder shows each peer only what it is to fetch from here:
// it takes back its bitfield with DONT_HAVE as soon as the peer says that it understands that, and shows with
// HAVE the pieces that PieceAssigner gives to this peer. When every piece is with some peer, it shows all;
// and when its link has little to do, since some are slow to pass on what they have or have begun. It begins
// anew when the last of those peers has left. Who came with everything takes no part: what it has is not
// passed on from here, and it may leave, or have said the untruth. What a peer has asked for before it heard
// that is rejected: each begins with a piece at random, and of 32 at once none is complete before all are.
// (Measured: 32 hosts on 25 Mbit links receive at 20 Mbit after 6 s instead of 9.) Peers that do not know
// DONT_HAVE see everything, and what they ask for counts as given to them.
//
// On every node (nudging): a libtorrent leecher that has run out of pieces to ask a peer for does not look
// again when that peer announces one, for up to five seconds. A second UNCHOKE makes it look. And a peer that
// says NOT_INTERESTED is not choked for it, which saves two round trips when it comes back.
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
    enum class Steering { no, yes };  // whoever has everything from the start does it
    enum class Kind { client, seed }; // what others are told: whether they count it among their clients

    Swarm(Steering steering, Kind kind, std::uint32_t pieces, std::uint64_t piece_length,
          std::uint64_t total_bytes);
    ~Swarm();

    // Makes the plugin part of the torrent that is about to be added by the process `own_id` (see
    // make_process_id). The session must end before the Swarm.
    void extend(lt::add_torrent_params& params, const std::string& own_id);

    // What has become of the peers, where Steering is yes.
    [[nodiscard]] Clients clients() const;

    // The clients, one by one: those that report in the order in which they came, then those that do not.
    [[nodiscard]] ClientList client_list() const;

  private:
    std::shared_ptr<SwarmState> m_state;
};

} // namespace ezio

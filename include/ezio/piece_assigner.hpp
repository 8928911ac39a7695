// SPDX-License-Identifier: GPL-2.0-or-later
//
// Who gets which piece from the seeder: the policy, without a network.
//
// The seeder's link is the scarce one: what crosses it twice is time lost for everybody. So each piece is
// given to one peer, in the order of the device, and the peers pass it on among themselves. The next piece goes
// to the peer that waits for the fewest, and among those to the one that has waited longest. What a peer was
// given returns to the pool when it leaves, or when it has stopped asking.
//
// When all is given out, and the link would idle: a piece that its peer is slow to fetch is given to another one,
// once; and what is with some peer already may be had from here, too (see drained()).
//
// Invariants: a piece is given to at most one peer at a time; it is in the pool exactly when it is given to
// nobody and no peer holds it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace ezio {

// Not thread-safe. Peers are numbered by the caller; times are since any fixed moment.
class PieceAssigner {
  public:
    using PeerId = std::uint64_t;
    using Time = std::chrono::milliseconds;

    PieceAssigner(std::uint32_t pieces, std::uint32_t blocks_per_piece);

    // A peer that takes part: what it holds and asks for counts.
    void add_peer(PeerId peer);
    void remove_peer(PeerId peer);

    // From now on it may be given pieces: it sees only those.
    void steer(PeerId peer);

    // It has not asked for anything in a while. Takes back what it was given and does not hold yet, and gives it
    // nothing until it asks again. Returns those pieces.
    std::vector<std::uint32_t> relinquish(PeerId peer);

    // What was relinquished is forgotten: it may be given pieces again.
    void try_again(PeerId peer);

    void peer_has(PeerId peer, std::uint32_t piece);
    void peer_has_all(PeerId peer);

    // The peer has asked for a block of the piece. Returns whether the piece is given to it, from now on if it
    // was in the pool.
    bool asked(PeerId peer, std::uint32_t piece, Time now);

    void sent_block(PeerId peer, std::uint32_t piece);

    // Blocks of pieces given at most `late_after` ago that are still to be sent: what will keep the link busy.
    [[nodiscard]] std::uint64_t blocks_on_their_way(Time now, Time late_after) const;

    struct Gift {
        PeerId to;
        std::uint32_t piece;
        std::optional<PeerId> taken_from; // this peer had not begun it, and should no longer see it
    };
    // Gives a piece to a peer, if there is one to give: see above.
    [[nodiscard]] std::optional<Gift> give_next(Time now, Time late_after);

    // Every piece is with some peer or given to one.
    [[nodiscard]] bool drained() const { return m_pool.empty(); }

    // Every piece is with at least one peer: there is nothing left to steer.
    [[nodiscard]] bool all_spread() const { return m_unspread == 0; }

    [[nodiscard]] bool is_pooled(std::uint32_t piece) const { return m_pool.count(piece) != 0; }
    [[nodiscard]] bool is_held(std::uint32_t piece) const { return m_holders[piece] != 0; }
    [[nodiscard]] bool holds(PeerId peer, std::uint32_t piece) const;
    [[nodiscard]] std::uint32_t pieces_held(PeerId peer) const;

  private:
    struct Peer {
        std::set<std::uint32_t> given; // and not held yet
        std::vector<bool> has;
        std::uint32_t has_count = 0;
        std::uint64_t last_turn = 0; // its place in the queue
        bool steered = false;
        bool stopped_asking = false;
    };
    struct Given {
        PeerId to;
        Time when;
        std::uint32_t unsent; // blocks
        bool begun = false;
        bool given_again = false;
    };

    void give(Peer& peer, PeerId id, std::uint32_t piece, Time now);
    void take_back(std::uint32_t piece);
    void now_held(std::uint32_t piece);
    void no_longer_held(std::uint32_t piece);
    [[nodiscard]] Peer* find(PeerId peer);
    [[nodiscard]] std::uint64_t unsent_blocks(const Peer& peer) const;
    [[nodiscard]] std::optional<PeerId> next_peer() const;
    [[nodiscard]] std::optional<std::uint32_t> latest_piece(PeerId not_from, Time now, Time late_after) const;

    const std::uint32_t m_blocks_per_piece;
    std::map<PeerId, Peer> m_peers;
    std::vector<std::uint32_t> m_holders;    // for each piece, how many peers have it
    std::map<std::uint32_t, Given> m_given;  // by piece
    std::set<std::uint32_t> m_pool;
    std::uint32_t m_unspread; // pieces without a holder
    std::uint64_t m_turn = 0;
};

} // namespace ezio

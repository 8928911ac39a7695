// SPDX-License-Identifier: GPL-2.0-or-later
//
// Who gets which piece from the seeder: the policy, without a network.
//
// The seeder's link is the scarce one: what crosses it twice is time lost for everybody. So each piece is
// given to one peer, in the order of the device (of several seeders each begins somewhere else), and the
// peers pass it on among themselves. Who has the fewest on their way is next. How many are given in advance
// is SendWindow's business; here it is only seen to that no peer has more ahead than keeps its requests from
// running dry. What a peer was given returns to the pool when it leaves, or when it is slow and somebody else
// has nothing left to begin. What a peer has begun stays with it. But when it is a laggard, with less than
// half of what somebody has who has run dry, that one may fetch it, too: one slow client at the end would
// hold up all others. (Measured: one of four at a tenth of the rate, the other three: 1.22 times the ideal
// without, 1.09 with.) When every piece is with some peer, the peers may ask for anything.
//
// Invariants: a piece is given to at most one peer at a time; it is in the pool exactly when it is given to
// nobody and no peer holds it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace ezio {

// Blocks that a peer asks another one for in advance, at most.
inline constexpr int most_requests = 256;

// How many pieces of so many bytes a peer should have been shown and not begun, at least 1.
[[nodiscard]] std::uint32_t pieces_ahead(std::uint64_t piece_length);

// Not thread-safe. Peers are numbered by the caller.
class PieceAssigner {
  public:
    using PeerId = std::uint64_t;

    // `ahead` is how many pieces a peer should have been given and not begun, at least 1.
    PieceAssigner(std::uint32_t pieces, std::uint32_t ahead);

    // A peer that takes part: what it holds and asks for counts.
    void add_peer(PeerId peer);
    void remove_peer(PeerId peer);

    // Where to begin with what is in the pool; after the last piece comes the first.
    void begin_at(std::uint32_t piece) { m_first = piece; }

    // From now on the peer may be the next in line.
    void admit(PeerId peer);

    // Takes back what the peer was given and does not hold yet, and gives it nothing until it is admitted
    // again. Returns those pieces.
    std::vector<std::uint32_t> relinquish(PeerId peer);

    // Who should be given a piece: who has the fewest on their way, and among those the one that was given
    // its last one longest ago. Nobody while no peer takes more, or the pool is empty.
    [[nodiscard]] std::optional<PeerId> next_in_line() const;

    // Gives the peer the next piece of the pool. Only for who is next in line.
    [[nodiscard]] std::uint32_t give(PeerId peer);

    void peer_has(PeerId peer, std::uint32_t piece);
    [[nodiscard]] std::uint32_t pieces_held(PeerId peer) const;

    // The peer has asked for a block of the piece. Returns whether the piece is given to it, from now on if
    // it was in the pool and the peer has not begun more pieces than it may ask for blocks: nobody gets
    // everything by a request for a block of each.
    bool peer_began(PeerId peer, std::uint32_t piece);

    // What to do about a peer that may have nothing left to begin, when the pool is empty.
    struct Change {
        std::vector<std::uint32_t> give; // tell this peer that these can be had
        struct Taken {
            PeerId from;
            std::uint32_t piece;
        };
        std::vector<Taken> taken; // tell those peers that these can no longer be had
    };
    [[nodiscard]] Change help_out(PeerId peer);

    // Whether the pool is empty, and one that may be the next in line has nothing left that it was given.
    [[nodiscard]] bool somebody_has_run_dry() const;

    // Every piece is with at least one peer: there is nothing left to steer.
    [[nodiscard]] bool all_spread() const { return m_unspread == 0; }

    [[nodiscard]] bool is_pooled(std::uint32_t piece) const { return m_pool.count(piece) != 0; }

  private:
    struct Peer {
        std::set<std::uint32_t> waiting; // given, not begun
        std::set<std::uint32_t> begun;   // given and begun, not held yet
        std::vector<bool> has;
        std::uint32_t has_count = 0;
        bool admitted = false;
        std::uint64_t last_gift = 0; // counted over all peers
    };

    void now_held(std::uint32_t piece);
    void no_longer_held(std::uint32_t piece);
    void give_to(PeerId id, Peer& peer, std::uint32_t piece);
    [[nodiscard]] std::optional<Change::Taken> steal_for(PeerId peer) const;
    void share_with(const Peer& peer, std::vector<std::uint32_t>& shared) const;

    const std::uint32_t m_ahead;
    std::unordered_map<PeerId, Peer> m_peers;
    std::vector<std::uint32_t> m_holders;       // for each piece, how many peers have it
    std::vector<std::optional<PeerId>> m_given; // to whom
    std::set<std::uint32_t> m_pool;
    std::uint32_t m_first = 0; // see begin_at
    std::uint32_t m_unspread;  // pieces without a holder
    std::uint64_t m_gifts = 0;
};

} // namespace ezio

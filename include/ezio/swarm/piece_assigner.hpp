// SPDX-License-Identifier: GPL-2.0-or-later
//
// The seeder's policy for which peer gets which piece, without a network.
//
// The seeder's link is the bottleneck: data that crosses it twice is time lost for all. So each piece is
// given to one peer, in the order of the device (each of several seeders begins elsewhere), and the peers
// pass it on among themselves. The next piece goes to the peer with the fewest pieces on their way.
// SendWindow decides how many are given in advance; this class only ensures that no peer has more ahead than
// keeps its requests from running dry.
// Pieces given to a peer return to the pool when it leaves, or when it is slow and another peer has nothing
// left to begin. A peer keeps the pieces that it has begun. But if it is a laggard, with less than half of
// what a peer has that has run dry, that peer may fetch them, too: otherwise one slow client would hold up
// all others at the end. (Measured: one of four at a tenth of the rate, the other three: 1.22 times the ideal
// without, 1.09 with.) When every piece is with some peer, the peers may request anything.
//
// Invariants: a piece is given to at most one peer at a time; it is in the pool exactly when it is given to
// no peer and no peer holds it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace ezio {

// The most blocks that a peer requests from another one in advance.
inline constexpr int most_requests = 256;

// The number of pieces of this length that a peer should have been shown and not begun, at least 1.
[[nodiscard]] std::uint32_t pieces_ahead(std::uint64_t piece_length);

// Not thread-safe. Peers are numbered by the caller.
class PieceAssigner {
  public:
    using PeerId = std::uint64_t;

    // `ahead` is the number of pieces that a peer should have been given and not begun, at least 1.
    PieceAssigner(std::uint32_t pieces, std::uint32_t ahead);

    // Adds a peer that takes part: its pieces and requests count.
    void add_peer(PeerId peer);
    void remove_peer(PeerId peer);

    // The first piece to give out of the pool; after the last piece follows piece 0.
    void begin_at(std::uint32_t piece) { m_first = piece; }

    // From now on the peer may be the next in line.
    void admit(PeerId peer);

    // Takes back the pieces that the peer was given and does not hold, and gives it none until it is admitted
    // again. Returns those pieces.
    std::vector<std::uint32_t> relinquish(PeerId peer);

    // The peer that should get a piece next: the one with the fewest on their way, and among equals the one
    // whose last gift is oldest. Empty while no peer takes more, or the pool is empty.
    [[nodiscard]] std::optional<PeerId> next_in_line() const;

    // Gives the peer the next piece of the pool. Only for the peer that is next in line.
    [[nodiscard]] std::uint32_t give(PeerId peer);

    void peer_has(PeerId peer, std::uint32_t piece);
    [[nodiscard]] std::uint32_t pieces_held(PeerId peer) const;

    // The peer has requested a block of the piece. Returns whether the piece is given to it. A piece in the
    // pool is given to it now, unless the peer has begun as many pieces as it may request blocks: a peer must
    // not get everything by requesting one block of each.
    bool peer_began(PeerId peer, std::uint32_t piece);

    // What to do, when the pool is empty, about a peer that may have nothing left to begin.
    struct Change {
        std::vector<std::uint32_t> give; // tell this peer that these are available
        struct Taken {
            PeerId from;
            std::uint32_t piece;
        };
        std::vector<Taken> taken; // tell those peers that these are no longer available
    };
    [[nodiscard]] Change help_out(PeerId peer);

    // Whether the pool is empty, and a peer that may be next in line has begun all pieces that it was given.
    [[nodiscard]] bool somebody_has_run_dry() const;

    // Every piece is with at least one peer: nothing is left to steer.
    [[nodiscard]] bool all_spread() const { return m_unspread == 0; }

    [[nodiscard]] bool is_pooled(std::uint32_t piece) const { return m_pool.count(piece) != 0; }

  private:
    struct Peer {
        std::set<std::uint32_t> waiting; // given, not begun
        std::set<std::uint32_t> begun;   // given and begun, not complete yet
        std::vector<bool> has;
        std::uint32_t has_count = 0;
        bool admitted = false;
        std::uint64_t last_gift = 0; // number of the gift, counted over all peers
    };

    void now_held(std::uint32_t piece);
    void no_longer_held(std::uint32_t piece);
    void give_to(PeerId id, Peer& peer, std::uint32_t piece);
    [[nodiscard]] std::optional<Change::Taken> steal_for(PeerId peer) const;
    void share_with(const Peer& peer, std::vector<std::uint32_t>& shared) const;

    const std::uint32_t m_ahead;
    std::unordered_map<PeerId, Peer> m_peers;
    std::vector<std::uint32_t> m_holders;       // for each piece, the number of peers that have it
    std::vector<std::optional<PeerId>> m_given; // the peer it is given to
    std::set<std::uint32_t> m_pool;
    std::uint32_t m_first = 0; // see begin_at
    std::uint32_t m_unspread;  // pieces without a holder
    std::uint64_t m_gifts = 0;
};

} // namespace ezio

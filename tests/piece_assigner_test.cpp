// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/piece_assigner.hpp"

#include "catch.hpp"

#include <algorithm>
#include <vector>

using namespace ezio;
using Pieces = std::vector<std::uint32_t>;

TEST_CASE("piece assigner: pieces are given in the order of the device, each to one peer")
{
    PieceAssigner assigner(10, 2);
    assigner.add_peer(1);
    assigner.add_peer(2);
    CHECK(assigner.top_up(1).give == Pieces{0, 1});
    CHECK(assigner.top_up(2).give == Pieces{2, 3});
    CHECK(assigner.top_up(1).give.empty());
    CHECK_FALSE(assigner.is_pooled(3));
    CHECK(assigner.is_pooled(4));
}

TEST_CASE("piece assigner: a peer that begins a piece is given the next")
{
    PieceAssigner assigner(10, 2);
    assigner.add_peer(1);
    (void)assigner.top_up(1);
    CHECK(assigner.peer_began(1, 0));
    CHECK(assigner.top_up(1).give == Pieces{2});
    CHECK(assigner.peer_began(1, 0)); // its next block
    CHECK(assigner.top_up(1).give.empty());
}

TEST_CASE("piece assigner: what is asked for before it was given is given, unless it is another's")
{
    PieceAssigner assigner(10, 1);
    assigner.add_peer(1);
    assigner.add_peer(2);
    CHECK(assigner.peer_began(1, 7));
    CHECK_FALSE(assigner.is_pooled(7));
    CHECK_FALSE(assigner.peer_began(2, 7));
    CHECK_FALSE(assigner.peer_began(3, 8)); // no such peer
    CHECK_FALSE(assigner.peer_began(1, 10)); // no such piece
}

TEST_CASE("piece assigner: pieces that a peer holds already are not given to anybody")
{
    PieceAssigner assigner(4, 4);
    assigner.add_peer(1);
    assigner.peer_has(1, 0);
    assigner.peer_has(1, 2);
    assigner.peer_has(1, 2);
    assigner.add_peer(2);
    CHECK(assigner.top_up(2).give == Pieces{1, 3});
}

TEST_CASE("piece assigner: a piece that its owner got from somebody else is no longer its to fetch")
{
    PieceAssigner assigner(3, 1);
    assigner.add_peer(1);
    assigner.add_peer(2);
    CHECK(assigner.top_up(1).give == Pieces{0});
    assigner.peer_has(2, 0);
    CHECK(assigner.top_up(1).give == Pieces{1});
}

TEST_CASE("piece assigner: what a peer was given and what it alone held returns to the pool when it leaves")
{
    PieceAssigner assigner(6, 2);
    assigner.add_peer(1);
    assigner.add_peer(2);
    (void)assigner.top_up(1);
    assigner.peer_began(1, 0);
    assigner.peer_has(1, 4);
    assigner.peer_has(1, 5);
    assigner.peer_has(2, 5);
    assigner.remove_peer(1);
    assigner.remove_peer(1);
    for (const std::uint32_t piece : {0U, 1U, 4U}) {
        CHECK(assigner.is_pooled(piece));
    }
    CHECK_FALSE(assigner.is_pooled(5));
}

TEST_CASE("piece assigner: a slow peer's share goes back without what it holds")
{
    PieceAssigner assigner(6, 2);
    assigner.add_peer(1);
    (void)assigner.top_up(1);
    assigner.peer_began(1, 0);
    assigner.peer_has(1, 5);
    auto returned = assigner.relinquish(1);
    std::sort(returned.begin(), returned.end());
    CHECK(returned == Pieces{0, 1});
    CHECK_FALSE(assigner.is_pooled(5));
    CHECK(assigner.top_up(1).give == Pieces{0, 1}); // it may try again
}

TEST_CASE("piece assigner: a peer with nothing left to begin takes from the one with the most")
{
    PieceAssigner assigner(4, 3);
    assigner.add_peer(1);
    assigner.add_peer(2);
    CHECK(assigner.top_up(1).give == Pieces{0, 1, 2});
    CHECK(assigner.top_up(2).give == Pieces{3});
    assigner.peer_began(2, 3);
    const auto change = assigner.top_up(2);
    CHECK(change.give == Pieces{2});
    REQUIRE(change.taken.size() == 1);
    CHECK(change.taken[0].from == 1);
    CHECK(change.taken[0].piece == 2);
}

TEST_CASE("piece assigner: all is spread when every piece is held by some peer")
{
    PieceAssigner assigner(3, 1);
    assigner.add_peer(1);
    assigner.add_peer(2);
    assigner.peer_has(1, 0);
    assigner.peer_has(2, 1);
    CHECK_FALSE(assigner.all_spread());
    assigner.peer_has(2, 2);
    CHECK(assigner.all_spread());
    assigner.remove_peer(2);
    CHECK_FALSE(assigner.all_spread());
    assigner.peer_has_all(1);
    CHECK(assigner.all_spread());
}

TEST_CASE("piece assigner: a whole swarm gets everything, and the seeder gives each piece once")
{
    constexpr std::uint32_t pieces = 200;
    PieceAssigner assigner(pieces, 2);
    std::vector<unsigned> times(pieces);
    for (PieceAssigner::PeerId peer = 1; peer <= 7; ++peer) {
        assigner.add_peer(peer);
    }
    for (unsigned round = 0; !assigner.all_spread(); ++round) {
        REQUIRE(round < pieces);
        for (PieceAssigner::PeerId peer = 1; peer <= 7; ++peer) {
            const auto change = assigner.top_up(peer);
            for (const std::uint32_t piece : change.give) {
                times[piece] += change.taken.empty() ? 1 : 0;
                CHECK(assigner.peer_began(peer, piece));
                assigner.peer_has(peer, piece);
            }
        }
    }
    CHECK(std::all_of(times.begin(), times.end(), [](unsigned count) { return count == 1; }));
}

TEST_CASE("piece assigner: who has run dry may fetch what a laggard has begun, not what an equal has")
{
    PieceAssigner assigner(8, 1);
    for (const PieceAssigner::PeerId peer : {1, 2, 3}) {
        assigner.add_peer(peer);
        const auto given = assigner.top_up(peer).give;
        REQUIRE(given.size() == 1);
        REQUIRE(assigner.peer_began(peer, given.front())); // 0, 1, 2
    }
    for (const std::uint32_t piece : {3, 4, 5, 6, 7}) {
        assigner.peer_has(1, piece);
        if (piece < 6) {
            assigner.peer_has(2, piece);
        }
    }
    CHECK(assigner.top_up(1).give == Pieces{2}); // 3 has nothing, 2 more than half of what 1 has
    assigner.peer_has(1, 2);
    CHECK(assigner.top_up(1).give.empty());
    CHECK(assigner.top_up(3).give.empty());
}

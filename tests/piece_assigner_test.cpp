// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/piece_assigner.hpp"

#include "catch.hpp"

#include <algorithm>
#include <vector>

using namespace ezio;
using Pieces = std::vector<std::uint32_t>;
using Time = PieceAssigner::Time;

namespace {

constexpr std::uint32_t blocks_per_piece = 4;
constexpr Time late_after{500};

// An assigner with `peers` peers, numbered from 1, that all may be given pieces.
PieceAssigner with_peers(std::uint32_t pieces, PieceAssigner::PeerId peers)
{
    PieceAssigner assigner(pieces, blocks_per_piece);
    for (PieceAssigner::PeerId peer = 1; peer <= peers; ++peer) {
        assigner.add_peer(peer);
        assigner.steer(peer);
    }
    return assigner;
}

PieceAssigner::Gift gift_at(PieceAssigner& assigner, Time now)
{
    const auto gift = assigner.give_next(now, late_after);
    REQUIRE(gift);
    return *gift;
}

void send_all(PieceAssigner& assigner, PieceAssigner::PeerId peer, std::uint32_t piece, Time now)
{
    for (std::uint32_t block = 0; block < blocks_per_piece; ++block) {
        (void)assigner.asked(peer, piece, now);
        assigner.sent_block(peer, piece);
    }
}

} // namespace

TEST_CASE("piece assigner: pieces are given in the order of the device, to one peer after the other")
{
    PieceAssigner assigner = with_peers(10, 3);
    for (std::uint32_t piece = 0; piece < 6; ++piece) {
        const auto gift = gift_at(assigner, Time(0));
        CHECK(gift.piece == piece);
        CHECK(gift.to == piece % 3 + 1);
        CHECK_FALSE(gift.taken_from);
        CHECK_FALSE(assigner.is_pooled(piece));
    }
    CHECK(assigner.is_pooled(6));
}

TEST_CASE("piece assigner: the peer with the least to come is the next")
{
    PieceAssigner assigner = with_peers(10, 2);
    CHECK(gift_at(assigner, Time(0)).to == 1);
    CHECK(gift_at(assigner, Time(0)).to == 2);
    send_all(assigner, 2, 1, Time(10));
    CHECK(gift_at(assigner, Time(10)).to == 2);
}

TEST_CASE("piece assigner: a peer that sees everything is given nothing, but what it asks for is its")
{
    PieceAssigner assigner(10, blocks_per_piece);
    assigner.add_peer(1);
    CHECK_FALSE(assigner.give_next(Time(0), late_after));
    CHECK(assigner.asked(1, 7, Time(0)));
    CHECK_FALSE(assigner.is_pooled(7));
}

TEST_CASE("piece assigner: one peer is not given more than it can ask for")
{
    PieceAssigner assigner = with_peers(1000, 1);
    unsigned gifts = 0;
    while (assigner.give_next(Time(0), late_after)) {
        REQUIRE(++gifts < 1000);
    }
    CHECK(gifts * blocks_per_piece == 512);
}

TEST_CASE("piece assigner: what is on its way is what was given lately and not sent")
{
    PieceAssigner assigner = with_peers(10, 2);
    (void)gift_at(assigner, Time(0));
    (void)gift_at(assigner, Time(400));
    CHECK(assigner.blocks_on_their_way(Time(400), late_after) == 8);
    assigner.sent_block(1, 0);
    assigner.sent_block(2, 0); // not its
    CHECK(assigner.blocks_on_their_way(Time(500), late_after) == 7);
    CHECK(assigner.blocks_on_their_way(Time(501), late_after) == 4);
    CHECK(assigner.blocks_on_their_way(Time(901), late_after) == 0);
}

TEST_CASE("piece assigner: what is asked for before it was given is given, unless it is another's")
{
    PieceAssigner assigner = with_peers(10, 2);
    CHECK(assigner.asked(1, 7, Time(0)));
    CHECK(assigner.asked(1, 7, Time(0))); // its next block
    CHECK_FALSE(assigner.is_pooled(7));
    CHECK_FALSE(assigner.asked(2, 7, Time(0)));
    CHECK_FALSE(assigner.asked(3, 8, Time(0)));  // no such peer
    CHECK_FALSE(assigner.asked(1, 10, Time(0))); // no such piece
}

TEST_CASE("piece assigner: pieces that a peer holds already are not given to anybody")
{
    PieceAssigner assigner = with_peers(4, 2);
    assigner.peer_has(1, 0);
    assigner.peer_has(1, 2);
    assigner.peer_has(1, 2);
    CHECK(assigner.pieces_held(1) == 2);
    CHECK(assigner.holds(1, 2));
    CHECK_FALSE(assigner.holds(2, 2));
    CHECK(gift_at(assigner, Time(0)).piece == 1);
    CHECK(gift_at(assigner, Time(0)).piece == 3);
    CHECK(assigner.drained());
    CHECK_FALSE(assigner.give_next(Time(0), late_after));
}

TEST_CASE("piece assigner: a peer that holds everything is given nothing")
{
    PieceAssigner assigner = with_peers(2, 2);
    assigner.peer_has_all(1);
    assigner.remove_peer(1); // it takes them away again
    assigner.add_peer(3);
    assigner.peer_has_all(3);
    CHECK(assigner.all_spread());
    CHECK_FALSE(assigner.give_next(Time(0), late_after));
}

TEST_CASE("piece assigner: what a peer was given and what it alone held returns to the pool when it leaves")
{
    PieceAssigner assigner = with_peers(6, 2);
    CHECK(gift_at(assigner, Time(0)).to == 1);
    assigner.peer_has(1, 4);
    assigner.peer_has(1, 5);
    assigner.peer_has(2, 5);
    assigner.remove_peer(1);
    assigner.remove_peer(1);
    CHECK(assigner.is_pooled(0));
    CHECK(assigner.is_pooled(4));
    CHECK_FALSE(assigner.is_pooled(5));
}

TEST_CASE("piece assigner: a peer that stopped asking gives back its share, and gets nothing until it asks again")
{
    PieceAssigner assigner = with_peers(6, 1);
    (void)gift_at(assigner, Time(0));
    (void)gift_at(assigner, Time(0));
    (void)assigner.asked(1, 0, Time(0));
    CHECK(assigner.relinquish(1) == Pieces{0, 1});
    CHECK(assigner.is_pooled(0));
    CHECK_FALSE(assigner.give_next(Time(0), late_after));
    SECTION("it asks for something")
    {
        (void)assigner.asked(1, 5, Time(0));
        CHECK(gift_at(assigner, Time(0)).piece == 0);
    }
    SECTION("it is tried again")
    {
        assigner.try_again(1);
        CHECK(gift_at(assigner, Time(0)).piece == 0);
    }
}

TEST_CASE("piece assigner: a peer that has been given nothing yet has not stopped asking")
{
    PieceAssigner assigner = with_peers(6, 1);
    CHECK(assigner.relinquish(1).empty());
    CHECK(assigner.give_next(Time(0), late_after));
}

TEST_CASE("piece assigner: when all is given out, a peer with nothing to do gets what another is late with, once")
{
    PieceAssigner assigner = with_peers(3, 2);
    CHECK(gift_at(assigner, Time(0)).to == 1);
    CHECK(gift_at(assigner, Time(0)).to == 2);
    CHECK(gift_at(assigner, Time(0)).to == 1);
    assigner.peer_has(2, 1);
    (void)assigner.asked(1, 0, Time(0));
    CHECK_FALSE(assigner.give_next(late_after, late_after)); // not late yet

    const auto begun = gift_at(assigner, Time(600));
    CHECK(begun.piece == 0);
    CHECK(begun.to == 2);
    CHECK_FALSE(begun.taken_from); // peer 1 is at it, and may go on
    send_all(assigner, 2, 0, Time(700));
    assigner.peer_has(2, 0);

    const auto not_begun = gift_at(assigner, Time(700));
    CHECK(not_begun.piece == 2);
    CHECK(not_begun.taken_from == 1);
    send_all(assigner, 2, 2, Time(800));
    CHECK_FALSE(assigner.give_next(Time(10000), late_after));
}

TEST_CASE("piece assigner: all is spread when every piece is held by some peer")
{
    PieceAssigner assigner = with_peers(3, 2);
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
    PieceAssigner assigner = with_peers(pieces, 7);
    std::vector<unsigned> times(pieces);
    std::vector<unsigned> share(8);
    for (unsigned round = 0; !assigner.all_spread(); ++round) {
        REQUIRE(round <= pieces);
        const auto gift = gift_at(assigner, Time(round));
        ++times[gift.piece];
        ++share[gift.to];
        send_all(assigner, gift.to, gift.piece, Time(round));
        assigner.peer_has(gift.to, gift.piece);
    }
    CHECK(std::all_of(times.begin(), times.end(), [](unsigned count) { return count == 1; }));
    CHECK(*std::min_element(share.begin() + 1, share.end()) == pieces / 7);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/swarm/piece_assigner.hpp"

#include "catch.hpp"

#include "ezio/image/image.hpp"

#include <algorithm>
#include <map>
#include <vector>

using namespace ezio;
using Pieces = std::vector<std::uint32_t>;
using PeerId = PieceAssigner::PeerId;

namespace {

void add_admitted(PieceAssigner& assigner, std::initializer_list<PeerId> peers)
{
    for (const PeerId peer : peers) {
        assigner.add_peer(peer);
        assigner.admit(peer);
    }
}

// Gives out pieces for as long as somebody takes them; who got which.
std::map<PeerId, Pieces> give_all(PieceAssigner& assigner)
{
    std::map<PeerId, Pieces> given;
    while (const auto peer = assigner.next_in_line()) {
        given[*peer].push_back(assigner.give(*peer));
    }
    return given;
}

} // namespace

TEST_CASE("piece assigner: a peer is shown twice what it may ask for in advance, or one piece")
{
    constexpr std::uint64_t wanted = std::uint64_t{2} * most_requests * block_bytes;
    for (std::uint64_t length = block_bytes; length <= wanted; length *= 2) {
        CHECK(pieces_ahead(length) * length == wanted);
    }
    CHECK(pieces_ahead(4 * wanted) == 1);
}

TEST_CASE("piece assigner: pieces are given in the order of the device, each to one peer, in turn")
{
    PieceAssigner assigner(10, 2);
    add_admitted(assigner, {1, 2});
    const auto given = give_all(assigner);
    REQUIRE(given.size() == 2);
    CHECK(given.at(1).size() == 2);
    CHECK(given.at(2).size() == 2);
    CHECK((given.at(1) == Pieces{0, 2} || given.at(1) == Pieces{1, 3}));
    CHECK_FALSE(assigner.is_pooled(3));
    CHECK(assigner.is_pooled(4));
}

TEST_CASE("piece assigner: nobody is given anything before it is admitted")
{
    PieceAssigner assigner(10, 2);
    assigner.add_peer(1);
    CHECK_FALSE(assigner.next_in_line());
    assigner.admit(2); // no such peer
    CHECK_FALSE(assigner.next_in_line());
    assigner.admit(1);
    CHECK(assigner.next_in_line() == PeerId{1});
}

TEST_CASE("piece assigner: who has the fewest on their way is next, then who has waited longest")
{
    PieceAssigner assigner(10, 3);
    add_admitted(assigner, {1});
    CHECK(assigner.give(1) == 0);
    add_admitted(assigner, {2, 3});
    const PeerId first = *assigner.next_in_line();
    CHECK(first != 1);
    (void)assigner.give(first);
    const PeerId second = *assigner.next_in_line();
    CHECK(second == 5 - first);
    (void)assigner.give(second);
    CHECK(assigner.next_in_line() == PeerId{1}); // all have one: its last gift was the first
}

TEST_CASE("piece assigner: a peer that begins a piece takes another one")
{
    PieceAssigner assigner(10, 2);
    add_admitted(assigner, {1});
    (void)give_all(assigner);
    CHECK(assigner.peer_began(1, 0));
    CHECK(give_all(assigner)[1] == Pieces{2});
    CHECK(assigner.peer_began(1, 0)); // its next block
    CHECK_FALSE(assigner.next_in_line());
}

TEST_CASE("piece assigner: what is asked for before it was given is given, unless it is another's")
{
    PieceAssigner assigner(10, 1);
    assigner.add_peer(1);
    assigner.add_peer(2);
    CHECK(assigner.peer_began(1, 7));
    CHECK_FALSE(assigner.is_pooled(7));
    CHECK_FALSE(assigner.peer_began(2, 7));
    CHECK_FALSE(assigner.peer_began(3, 8));  // no such peer
    CHECK_FALSE(assigner.peer_began(1, 10)); // no such piece
}

TEST_CASE("piece assigner: nobody gets more pieces by asking for a block of each than it may ask for blocks")
{
    constexpr std::uint32_t most = most_requests;
    PieceAssigner assigner(most + 2, 1);
    add_admitted(assigner, {1});
    for (std::uint32_t piece = 0; piece < most; ++piece) {
        REQUIRE(assigner.peer_began(1, piece));
    }
    CHECK_FALSE(assigner.peer_began(1, most));
    CHECK(assigner.is_pooled(most));
    assigner.peer_has(1, 0);
    CHECK(assigner.peer_began(1, most));
}

TEST_CASE("piece assigner: pieces that a peer holds already are not given to anybody")
{
    PieceAssigner assigner(4, 4);
    assigner.add_peer(1);
    assigner.peer_has(1, 0);
    assigner.peer_has(1, 2);
    assigner.peer_has(1, 2);
    add_admitted(assigner, {2});
    CHECK(give_all(assigner)[2] == Pieces{1, 3});
}

TEST_CASE("piece assigner: a piece that its owner got from somebody else is no longer its to fetch")
{
    PieceAssigner assigner(3, 1);
    add_admitted(assigner, {1});
    assigner.add_peer(2);
    CHECK(give_all(assigner)[1] == Pieces{0});
    assigner.peer_has(2, 0);
    CHECK(give_all(assigner)[1] == Pieces{1});
}

TEST_CASE("piece assigner: what a peer was given and what it alone held returns to the pool when it leaves")
{
    PieceAssigner assigner(6, 2);
    add_admitted(assigner, {1});
    assigner.add_peer(2);
    (void)give_all(assigner);
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

TEST_CASE(
    "piece assigner: a slow peer's share goes back without what it holds, and it waits to be admitted again")
{
    PieceAssigner assigner(6, 2);
    add_admitted(assigner, {1});
    (void)give_all(assigner);
    assigner.peer_began(1, 0);
    assigner.peer_has(1, 5);
    auto returned = assigner.relinquish(1);
    std::sort(returned.begin(), returned.end());
    CHECK(returned == Pieces{0, 1});
    CHECK_FALSE(assigner.is_pooled(5));
    CHECK_FALSE(assigner.next_in_line());
    assigner.admit(1);
    CHECK(give_all(assigner)[1] == Pieces{0, 1});
}

TEST_CASE("piece assigner: a peer with nothing left to begin takes from the one with the most")
{
    PieceAssigner assigner(4, 3);
    add_admitted(assigner, {1});
    CHECK(give_all(assigner)[1] == Pieces{0, 1, 2});
    add_admitted(assigner, {2});
    CHECK(assigner.help_out(2).give.empty()); // while the pool has something
    CHECK(give_all(assigner)[2] == Pieces{3});
    assigner.peer_began(2, 3);
    const auto change = assigner.help_out(2);
    CHECK(change.give == Pieces{2});
    REQUIRE(change.taken.size() == 1);
    CHECK(change.taken[0].from == 1);
    CHECK(change.taken[0].piece == 2);
}

TEST_CASE("piece assigner: what was taken from a peer is not its to give back")
{
    PieceAssigner assigner(4, 3);
    add_admitted(assigner, {1});
    REQUIRE(give_all(assigner)[1] == Pieces{0, 1, 2});
    add_admitted(assigner, {2});
    REQUIRE(give_all(assigner)[2] == Pieces{3});
    assigner.peer_began(2, 3);
    REQUIRE(assigner.help_out(2).give == Pieces{2});
    CHECK(assigner.relinquish(1) == Pieces{0, 1});
    CHECK_FALSE(assigner.is_pooled(2));
}

TEST_CASE("piece assigner: who has run dry may fetch what a laggard has begun, not what an equal has")
{
    PieceAssigner assigner(8, 1);
    add_admitted(assigner, {1, 2, 3});
    const auto given = give_all(assigner);
    for (const auto& [peer, pieces] : given) {
        REQUIRE(pieces.size() == 1); // 0, 1 and 2
        REQUIRE(assigner.peer_began(peer, pieces.front()));
    }
    for (const std::uint32_t piece : {3, 4, 5, 6, 7}) {
        assigner.peer_has(1, piece);
        if (piece < 6) {
            assigner.peer_has(2, piece);
        }
    }
    CHECK(assigner.help_out(1).give == given.at(3)); // who has nothing; 2 has more than half of what 1 has
    assigner.peer_has(1, given.at(3).front());
    CHECK(assigner.help_out(1).give.empty());
    CHECK(assigner.help_out(3).give.empty());
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
    assigner.peer_has(1, 1);
    assigner.peer_has(1, 2);
    CHECK(assigner.all_spread());
}

TEST_CASE("piece assigner: it begins where it is told to, and comes to the rest afterwards")
{
    PieceAssigner assigner(4, 4);
    add_admitted(assigner, {1});
    assigner.begin_at(2);
    for (const std::uint32_t expected : {2U, 3U, 0U, 1U}) {
        CHECK(assigner.give(1) == expected);
    }
}

TEST_CASE("piece assigner: dry is who waits for pieces of others, and has none of its own to fetch")
{
    PieceAssigner assigner(2, 1);
    add_admitted(assigner, {1, 2});
    CHECK_FALSE(assigner.somebody_has_run_dry()); // there is something for everybody
    CHECK(assigner.give(1) == 0);
    CHECK(assigner.give(2) == 1);
    CHECK(assigner.peer_began(1, 0));
    CHECK(assigner.peer_began(2, 1));
    CHECK_FALSE(assigner.somebody_has_run_dry());
    assigner.peer_has(1, 0);
    CHECK(assigner.somebody_has_run_dry());
    assigner.peer_has(1, 1); // what the other one had begun; that one waits for both now
    CHECK(assigner.somebody_has_run_dry());
    assigner.peer_has(2, 0);
    assigner.peer_has(2, 1);
    CHECK_FALSE(assigner.somebody_has_run_dry());
}

TEST_CASE("piece assigner: a whole swarm gets everything, and the seeder gives each piece once")
{
    constexpr std::uint32_t pieces = 200;
    PieceAssigner assigner(pieces, 2);
    std::vector<unsigned> times(pieces);
    add_admitted(assigner, {1, 2, 3, 4, 5, 6, 7});
    for (unsigned round = 0; !assigner.all_spread(); ++round) {
        REQUIRE(round < pieces);
        for (const auto& [peer, given] : give_all(assigner)) {
            for (const std::uint32_t piece : given) {
                ++times[piece];
                CHECK(assigner.peer_began(peer, piece));
                assigner.peer_has(peer, piece);
            }
        }
    }
    CHECK(std::all_of(times.begin(), times.end(), [](unsigned count) { return count == 1; }));
}

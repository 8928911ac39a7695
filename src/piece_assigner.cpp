// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/piece_assigner.hpp"

#include <algorithm>

namespace ezio {

namespace {

// Blocks that one peer has been given and not been sent, at most, unless that is less than two pieces: what it
// asks for at a time, and as much again.
constexpr std::uint64_t most_blocks_per_peer = 512;

} // namespace

PieceAssigner::PieceAssigner(std::uint32_t pieces, std::uint32_t blocks_per_piece)
    : m_blocks_per_piece(blocks_per_piece), m_holders(pieces), m_unspread(pieces)
{
    for (std::uint32_t piece = 0; piece < pieces; ++piece) {
        m_pool.insert(m_pool.end(), piece);
    }
}

void PieceAssigner::add_peer(PeerId id)
{
    Peer& peer = m_peers[id];
    peer.has.resize(m_holders.size());
    peer.last_turn = ++m_turn;
}

void PieceAssigner::remove_peer(PeerId id)
{
    relinquish(id);
    const auto found = m_peers.find(id);
    if (found == m_peers.end()) {
        return;
    }
    const std::vector<bool> has = std::move(found->second.has);
    m_peers.erase(found);
    for (std::uint32_t piece = 0; piece < has.size(); ++piece) {
        if (has[piece]) {
            no_longer_held(piece);
        }
    }
}

void PieceAssigner::steer(PeerId id)
{
    if (Peer* peer = find(id)) {
        peer->steered = true;
    }
}

std::vector<std::uint32_t> PieceAssigner::relinquish(PeerId id)
{
    Peer* peer = find(id);
    if (peer == nullptr || peer->given.empty()) {
        return {};
    }
    peer->stopped_asking = true;
    const std::vector<std::uint32_t> returned(peer->given.begin(), peer->given.end());
    for (const std::uint32_t piece : returned) {
        take_back(piece);
        m_pool.insert(piece); // nobody holds it, or it would not be given any more
    }
    return returned;
}

void PieceAssigner::try_again(PeerId id)
{
    if (Peer* peer = find(id)) {
        peer->stopped_asking = false;
    }
}

void PieceAssigner::peer_has(PeerId id, std::uint32_t piece)
{
    Peer* peer = find(id);
    if (peer == nullptr || piece >= m_holders.size() || peer->has[piece]) {
        return;
    }
    peer->has[piece] = true;
    ++peer->has_count;
    now_held(piece);
}

void PieceAssigner::peer_has_all(PeerId id)
{
    for (std::uint32_t piece = 0; piece < m_holders.size(); ++piece) {
        peer_has(id, piece);
    }
}

bool PieceAssigner::asked(PeerId id, std::uint32_t piece, Time now)
{
    Peer* peer = find(id);
    if (peer == nullptr || piece >= m_holders.size()) {
        return false;
    }
    peer->stopped_asking = false;
    if (is_pooled(piece)) { // asked for before it was told what to ask for
        give(*peer, id, piece, now);
    }
    const auto given = m_given.find(piece);
    if (given == m_given.end() || given->second.to != id) {
        return false;
    }
    given->second.begun = true;
    return true;
}

void PieceAssigner::sent_block(PeerId id, std::uint32_t piece)
{
    const auto given = m_given.find(piece);
    if (given != m_given.end() && given->second.to == id && given->second.unsent > 0) {
        --given->second.unsent;
    }
}

std::uint64_t PieceAssigner::blocks_on_their_way(Time now, Time late_after) const
{
    std::uint64_t blocks = 0;
    for (const auto& [piece, given] : m_given) {
        blocks += now - given.when <= late_after ? given.unsent : 0;
    }
    return blocks;
}

std::optional<PieceAssigner::Gift> PieceAssigner::give_next(Time now, Time late_after)
{
    const auto id = next_peer();
    if (!id) {
        return std::nullopt;
    }
    Peer& peer = m_peers.at(*id);
    if (!m_pool.empty()) {
        const std::uint32_t piece = *m_pool.begin(); // nobody holds it, so this peer does not either
        give(peer, *id, piece, now);
        return Gift{*id, piece, std::nullopt};
    }
    const auto piece = peer.given.empty() ? latest_piece(*id, now, late_after) : std::nullopt;
    if (!piece) {
        return std::nullopt;
    }
    const Given late = m_given.at(*piece);
    take_back(*piece);
    give(peer, *id, *piece, now);
    m_given.at(*piece).given_again = true;
    return Gift{*id, *piece, late.begun ? std::nullopt : std::optional(late.to)};
}

bool PieceAssigner::holds(PeerId id, std::uint32_t piece) const
{
    const auto found = m_peers.find(id);
    return found != m_peers.end() && found->second.has[piece];
}

std::uint32_t PieceAssigner::pieces_held(PeerId id) const
{
    const auto found = m_peers.find(id);
    return found == m_peers.end() ? 0 : found->second.has_count;
}

PieceAssigner::Peer* PieceAssigner::find(PeerId id)
{
    const auto found = m_peers.find(id);
    return found == m_peers.end() ? nullptr : &found->second;
}

void PieceAssigner::give(Peer& peer, PeerId id, std::uint32_t piece, Time now)
{
    m_pool.erase(piece);
    peer.given.insert(piece);
    peer.last_turn = ++m_turn;
    m_given[piece] = Given{id, now, m_blocks_per_piece};
}

// It is neither given nor in the pool afterwards.
void PieceAssigner::take_back(std::uint32_t piece)
{
    const auto given = m_given.find(piece);
    if (given == m_given.end()) {
        return;
    }
    if (Peer* owner = find(given->second.to)) {
        owner->given.erase(piece);
    }
    m_given.erase(given);
}

std::uint64_t PieceAssigner::unsent_blocks(const Peer& peer) const
{
    std::uint64_t blocks = 0;
    for (const std::uint32_t piece : peer.given) {
        blocks += m_given.at(piece).unsent;
    }
    return blocks;
}

// Whose turn it is: of those that may be given something, the one with the least to come.
std::optional<PieceAssigner::PeerId> PieceAssigner::next_peer() const
{
    std::optional<PeerId> best;
    std::pair<std::uint64_t, std::uint64_t> least;
    for (const auto& [id, peer] : m_peers) {
        if (!peer.steered || peer.stopped_asking || peer.has_count == m_holders.size()) {
            continue;
        }
        const std::uint64_t unsent = unsent_blocks(peer);
        if (unsent >= std::max<std::uint64_t>(most_blocks_per_peer, std::uint64_t{2} * m_blocks_per_piece)) {
            continue;
        }
        const std::pair rank(unsent, peer.last_turn);
        if (!best || rank < least) {
            best = id;
            least = rank;
        }
    }
    return best;
}

// The piece that has been given for longest, and for too long.
std::optional<std::uint32_t> PieceAssigner::latest_piece(PeerId not_from, Time now, Time late_after) const
{
    std::optional<std::uint32_t> latest;
    for (const auto& [piece, given] : m_given) {
        const bool late = now - given.when > late_after && given.unsent > 0;
        if (late && !given.given_again && given.to != not_from &&
            (!latest || given.when < m_given.at(*latest).when)) {
            latest = piece;
        }
    }
    return latest;
}

void PieceAssigner::now_held(std::uint32_t piece)
{
    if (m_holders[piece]++ == 0) {
        --m_unspread;
        m_pool.erase(piece);
        take_back(piece); // by whomever it was got, the others need not ask us for it
    }
}

void PieceAssigner::no_longer_held(std::uint32_t piece)
{
    if (--m_holders[piece] == 0) {
        ++m_unspread;
        m_pool.insert(piece);
    }
}

} // namespace ezio

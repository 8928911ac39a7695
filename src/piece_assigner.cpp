// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/piece_assigner.hpp"

#include <algorithm>
#include <iterator>

namespace ezio {

PieceAssigner::PieceAssigner(std::uint32_t pieces, std::uint32_t ahead)
    : m_ahead(ahead), m_holders(pieces), m_given(pieces), m_unspread(pieces)
{
    for (std::uint32_t piece = 0; piece < pieces; ++piece) {
        m_pool.insert(m_pool.end(), piece);
    }
}

void PieceAssigner::add_peer(PeerId peer)
{
    m_peers[peer].has.resize(m_holders.size());
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

std::vector<std::uint32_t> PieceAssigner::relinquish(PeerId id)
{
    std::vector<std::uint32_t> returned;
    const auto found = m_peers.find(id);
    if (found == m_peers.end()) {
        return returned;
    }
    for (auto* given : {&found->second.waiting, &found->second.begun}) {
        returned.insert(returned.end(), given->begin(), given->end());
        given->clear();
    }
    for (const std::uint32_t piece : returned) {
        m_given[piece].reset();
        m_pool.insert(piece); // nobody holds it, or it would not be given any more
    }
    return returned;
}

void PieceAssigner::peer_has(PeerId id, std::uint32_t piece)
{
    const auto found = m_peers.find(id);
    if (found == m_peers.end() || piece >= m_holders.size() || found->second.has[piece]) {
        return;
    }
    found->second.has[piece] = true;
    ++found->second.has_count;
    now_held(piece);
}

std::uint32_t PieceAssigner::pieces_held(PeerId id) const
{
    const auto found = m_peers.find(id);
    return found == m_peers.end() ? 0 : found->second.has_count;
}

void PieceAssigner::peer_has_all(PeerId id)
{
    for (std::uint32_t piece = 0; piece < m_holders.size(); ++piece) {
        peer_has(id, piece);
    }
}

bool PieceAssigner::peer_began(PeerId id, std::uint32_t piece)
{
    const auto found = m_peers.find(id);
    if (found == m_peers.end() || piece >= m_holders.size()) {
        return false;
    }
    Peer& peer = found->second;
    if (peer.waiting.erase(piece) != 0) {
        peer.begun.insert(piece);
    } else if (m_pool.erase(piece) != 0) { // asked for before it was told what to ask for
        m_given[piece] = id;
        peer.begun.insert(piece);
    }
    return m_given[piece] == id;
}

PieceAssigner::Change PieceAssigner::top_up(PeerId id)
{
    Change change;
    const auto found = m_peers.find(id);
    if (found == m_peers.end()) {
        return change;
    }
    Peer& peer = found->second;
    while (peer.waiting.size() < m_ahead) {
        auto piece = next_for(peer);
        if (!piece) {
            const auto taken = peer.waiting.empty() ? steal_for(id) : std::nullopt;
            if (!taken) {
                break;
            }
            m_peers[taken->from].waiting.erase(taken->piece);
            change.taken.push_back(*taken);
            piece = taken->piece;
        }
        m_pool.erase(*piece);
        m_given[*piece] = id;
        peer.waiting.insert(*piece);
        change.give.push_back(*piece);
    }
    if (peer.waiting.empty()) {
        share_with(peer, change.give);
    }
    return change;
}

// The first piece of the pool. (No peer holds a pooled piece, so this one does not either.)
std::optional<std::uint32_t> PieceAssigner::next_for(const Peer&) const
{
    return m_pool.empty() ? std::nullopt : std::optional(*m_pool.begin());
}

// One of the pieces that the peer with the most of them has not begun: it will be the last to get to it.
std::optional<PieceAssigner::Change::Taken> PieceAssigner::steal_for(PeerId thief) const
{
    const auto most = std::max_element(m_peers.begin(), m_peers.end(), [&](const auto& a, const auto& b) {
        const auto size = [&](const auto& peer) { return peer.first == thief ? 0 : peer.second.waiting.size(); };
        return size(a) < size(b);
    });
    if (most == m_peers.end() || most->first == thief || most->second.waiting.empty()) {
        return std::nullopt;
    }
    return Change::Taken{most->first, *most->second.waiting.rbegin()};
}

// What the laggards have begun.
void PieceAssigner::share_with(const Peer& peer, std::vector<std::uint32_t>& shared) const
{
    for (const auto& [id, other] : m_peers) {
        if (2 * std::uint64_t{other.has_count} < peer.has_count) {
            std::copy_if(other.begun.begin(), other.begun.end(), std::back_inserter(shared),
                         [&](std::uint32_t piece) { return !peer.has[piece]; });
        }
    }
}

void PieceAssigner::now_held(std::uint32_t piece)
{
    if (m_holders[piece]++ != 0) {
        return;
    }
    --m_unspread;
    m_pool.erase(piece);
    if (const auto owner = m_given[piece]) { // by whomever it was got, the others need not ask us for it
        m_given[piece].reset();
        m_peers[*owner].waiting.erase(piece);
        m_peers[*owner].begun.erase(piece);
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

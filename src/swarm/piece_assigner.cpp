// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/swarm/piece_assigner.hpp"

#include "ezio/image/image.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ezio {

std::uint32_t pieces_ahead(std::uint64_t piece_length)
{
    // Twice all that it may request. If it runs dry, the last bytes on their way to it wait 40 ms because of
    // Nagle's algorithm: one peer on loopback then has 64 MiB/s with pieces of 256 KiB, and 145 with those of
    // 1 MiB (2 MiB ahead), instead of 550 and 610. With many peers each has less: see SendWindow.
    constexpr std::uint64_t ahead_bytes = std::uint64_t{2} * most_requests * block_bytes;
    return static_cast<std::uint32_t>(std::max<std::uint64_t>(1, ahead_bytes / piece_length));
}

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
    found->second.admitted = false;
    for (auto* given : {&found->second.waiting, &found->second.begun}) {
        returned.insert(returned.end(), given->begin(), given->end());
        given->clear();
    }
    for (const std::uint32_t piece : returned) {
        m_given[piece].reset();
        m_pool.insert(piece); // no peer holds it, otherwise it would not be given
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

bool PieceAssigner::peer_began(PeerId id, std::uint32_t piece)
{
    const auto found = m_peers.find(id);
    if (found == m_peers.end() || piece >= m_holders.size()) {
        return false;
    }
    Peer& peer = found->second;
    if (peer.waiting.erase(piece) != 0) {
        peer.begun.insert(piece);
    } else if (peer.begun.size() < most_requests &&
               m_pool.erase(piece) != 0) { // before it was told what to request
        m_given[piece] = id;
        peer.begun.insert(piece);
    }
    return m_given[piece] == id;
}

void PieceAssigner::admit(PeerId id)
{
    if (const auto found = m_peers.find(id); found != m_peers.end()) {
        found->second.admitted = true;
    }
}

std::optional<PieceAssigner::PeerId> PieceAssigner::next_in_line() const
{
    const auto rank = [](const Peer& peer) {
        return std::make_pair(peer.waiting.size() + peer.begun.size(), peer.last_gift);
    };
    auto first = m_peers.end();
    for (auto it = m_peers.begin(); it != m_peers.end() && !m_pool.empty(); ++it) {
        const Peer& peer = it->second;
        const bool takes_more = peer.admitted && peer.waiting.size() < m_ahead;
        if (takes_more && (first == m_peers.end() || rank(peer) < rank(first->second))) {
            first = it;
        }
    }
    return first == m_peers.end() ? std::nullopt : std::optional(first->first);
}

std::uint32_t PieceAssigner::give(PeerId id)
{
    const auto behind = m_pool.lower_bound(m_first);
    const auto next = behind != m_pool.end() ? behind : m_pool.begin();
    const std::uint32_t piece = *next; // no peer holds it, so this one does not either
    m_pool.erase(next);
    give_to(id, m_peers.at(id), piece);
    return piece;
}

void PieceAssigner::give_to(PeerId id, Peer& peer, std::uint32_t piece)
{
    m_given[piece] = id;
    peer.waiting.insert(piece);
    peer.last_gift = ++m_gifts;
}

PieceAssigner::Change PieceAssigner::help_out(PeerId id)
{
    Change change;
    const auto found = m_peers.find(id);
    if (found == m_peers.end() || !found->second.admitted || !found->second.waiting.empty() ||
        !m_pool.empty()) {
        return change;
    }
    Peer& peer = found->second;
    if (const auto taken = steal_for(id)) {
        m_peers.at(taken->from).waiting.erase(taken->piece);
        give_to(id, peer, taken->piece);
        change.taken.push_back(*taken);
        change.give.push_back(taken->piece);
    } else {
        share_with(peer, change.give);
    }
    return change;
}

// An unbegun piece of the peer with the most of them, which will be the last to get to it.
std::optional<PieceAssigner::Change::Taken> PieceAssigner::steal_for(PeerId thief) const
{
    const auto most = std::max_element(m_peers.begin(), m_peers.end(), [&](const auto& a, const auto& b) {
        const auto size = [&](const auto& peer) {
            return peer.first == thief ? 0 : peer.second.waiting.size();
        };
        return size(a) < size(b);
    });
    if (most == m_peers.end() || most->first == thief || most->second.waiting.empty()) {
        return std::nullopt;
    }
    return Change::Taken{most->first, *most->second.waiting.rbegin()};
}

// Adds the pieces that laggards have begun.
void PieceAssigner::share_with(const Peer& peer, std::vector<std::uint32_t>& shared) const
{
    for (const auto& [id, other] : m_peers) {
        if (2 * std::uint64_t{other.has_count} < peer.has_count) {
            std::copy_if(other.begun.begin(), other.begun.end(), std::back_inserter(shared),
                         [&](std::uint32_t piece) { return !peer.has[piece]; });
        }
    }
}

bool PieceAssigner::somebody_has_run_dry() const
{
    return m_pool.empty() && std::any_of(m_peers.begin(), m_peers.end(), [&](const auto& entry) {
               const Peer& peer = entry.second;
               return peer.admitted && peer.waiting.empty() && peer.begun.empty() &&
                      peer.has_count < m_holders.size();
           });
}

void PieceAssigner::now_held(std::uint32_t piece)
{
    if (m_holders[piece]++ != 0) {
        return;
    }
    --m_unspread;
    m_pool.erase(piece);
    if (const auto owner = m_given[piece]) { // wherever it came from, the others need not request it from us
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

// SPDX-License-Identifier: GPL-2.0-or-later
// What peers say that are steered: who comes and goes, and has and asks for whatever, in any order. Each two
// bytes of the input are one message of a peer, or a moment at which the seeder gives something.
#include "ezio/swarm/piece_assigner.hpp"
#include "ezio/util/require.hpp"

#include <set>
#include <utility>

using namespace ezio;

namespace {

constexpr std::uint32_t pieces = 24;

class Swarm {
  public:
    void step(std::uint8_t kind, std::uint8_t what)
    {
        const PieceAssigner::PeerId peer = kind >> 3 & 7;
        const std::uint32_t piece = what % (pieces + 2); // some there are not
        switch (kind & 7) {
        case 0:
            come_or_go(peer);
            break;
        case 1:
            m_assigner.admit(peer);
            break;
        case 2:
        case 3:
            m_assigner.peer_has(peer, piece);
            if (m_peers.count(peer) != 0 && piece < pieces) {
                m_held.insert({peer, piece});
            }
            break;
        case 4:
            (void)m_assigner.peer_began(peer, piece);
            break;
        case 5:
            give();
            break;
        case 6:
            help(peer);
            break;
        default:
            relinquish(peer);
            break;
        }
        require(m_assigner.pieces_held(peer) == held_by(peer));
        (void)m_assigner.somebody_has_run_dry();
    }

    void check() const
    {
        std::set<std::uint32_t> spread;
        for (const auto& held : m_held) {
            spread.insert(held.second);
        }
        require(m_assigner.all_spread() == (spread.size() == pieces));
    }

  private:
    void come_or_go(PieceAssigner::PeerId peer)
    {
        if (m_peers.erase(peer) != 0) {
            m_assigner.remove_peer(peer);
            std::erase_if(m_held, [peer](const auto& held) { return held.first == peer; });
        } else {
            m_peers.insert(peer);
            m_assigner.add_peer(peer);
        }
    }

    void give()
    {
        if (const auto peer = m_assigner.next_in_line()) {
            require(m_peers.count(*peer) != 0);
            require(m_assigner.give(*peer) < pieces);
        }
    }

    void help(PieceAssigner::PeerId peer)
    {
        const auto change = m_assigner.help_out(peer);
        for (const std::uint32_t piece : change.give) {
            require(piece < pieces && m_peers.count(peer) != 0);
        }
        for (const auto& taken : change.taken) {
            require(taken.piece < pieces && taken.from != peer && m_peers.count(taken.from) != 0);
        }
    }

    void relinquish(PieceAssigner::PeerId peer)
    {
        for (const std::uint32_t piece : m_assigner.relinquish(peer)) {
            require(piece < pieces && m_held.count({peer, piece}) == 0);
        }
    }

    [[nodiscard]] std::uint32_t held_by(PieceAssigner::PeerId peer) const
    {
        std::uint32_t count = 0;
        for (const auto& held : m_held) {
            count += held.first == peer ? 1 : 0;
        }
        return count;
    }

    PieceAssigner m_assigner{pieces, 3};
    std::set<PieceAssigner::PeerId> m_peers;
    std::set<std::pair<PieceAssigner::PeerId, std::uint32_t>> m_held;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Swarm swarm;
    for (std::size_t at = 0; at + 2 <= size; at += 2) {
        swarm.step(data[at], data[at + 1]);
    }
    swarm.check();
    return 0;
}

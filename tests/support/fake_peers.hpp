// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "engine_rig.hpp"

#include <deque>
#include <numeric>
#include <random>
#include <vector>

namespace ezio::test {

// Peers that send the blocks of all pieces in random order, some of them wrong, as fast as the engine lets
// them: each stops while a write of its own is held. What libtorrent does is done here: a complete piece is
// hashed, a bad one cleared and asked for again, good ones are read by others.
class FakePeers {
  public:
    struct Options {
        std::size_t peers = 8;
        std::size_t wrong_blocks = 0; // of the first round; later all are right
        std::size_t reads_per_block = 0;
        std::uint64_t seed = 1;
    };

    FakePeers(EngineRig& rig, const Options& options)
        : m_rig(rig), m_options(options), m_random(options.seed), m_peers(options.peers),
          m_pieces(rig.image.piece_count())
    {
        std::vector<std::uint64_t> order(blocks_in(rig.payload.size()));
        std::iota(order.begin(), order.end(), 0);
        std::shuffle(order.begin(), order.end(), m_random);
        for (std::size_t i = 0; i < order.size(); ++i) {
            queue(order[i], i < options.wrong_blocks ? EngineRig::Data::wrong : EngineRig::Data::right);
        }
    }

    // Until every piece is good.
    void run()
    {
        while (m_good.size() < m_pieces.size()) {
            REQUIRE(m_rig.network.run_until([this] { return can_go_on(); }));
            for (Peer& peer : m_peers) {
                if (can_send(peer)) {
                    send(peer);
                }
            }
            for (std::uint32_t piece = 0; piece < m_pieces.size(); ++piece) {
                tend(piece);
            }
        }
        REQUIRE(m_rig.all_come());
        check_reads();
    }

    [[nodiscard]] std::size_t bad_pieces() const { return m_bad_pieces; }

  private:
    struct ToSend {
        std::uint64_t block;
        EngineRig::Data data;
    };
    struct Peer {
        std::deque<ToSend> to_send;
        AnswerPtr waits_for;
    };
    struct Piece {
        std::uint64_t missing = 0; // blocks
        AnswerPtr hash;
        AnswerPtr cleared;
    };
    struct Reading {
        std::uint64_t offset;
        std::uint64_t length;
        AnswerPtr answer;
    };

    [[nodiscard]] std::uint32_t piece_of(std::uint64_t block) const
    {
        return static_cast<std::uint32_t>(block * block_bytes / m_rig.image.piece_length);
    }

    static bool can_send(const Peer& peer)
    {
        return !peer.to_send.empty() && (!peer.waits_for || peer.waits_for->resumes == 1);
    }

    static bool has_come(const AnswerPtr& answer) { return answer && answer->calls == 1; }

    [[nodiscard]] bool can_go_on() const
    {
        return std::any_of(m_peers.begin(), m_peers.end(), can_send) ||
               std::any_of(m_pieces.begin(), m_pieces.end(),
                           [](const Piece& p) { return has_come(p.hash) || has_come(p.cleared); });
    }

    void queue(std::uint64_t block, EngineRig::Data data)
    {
        m_peers[m_random() % m_peers.size()].to_send.push_back({block, data});
        ++m_pieces[piece_of(block)].missing;
    }

    void send(Peer& peer)
    {
        const ToSend next = peer.to_send.front();
        peer.to_send.pop_front();
        const AnswerPtr write = m_rig.write(next.block, next.data);
        peer.waits_for = write->held ? write : nullptr;
        const std::uint32_t piece = piece_of(next.block);
        if (--m_pieces[piece].missing == 0) {
            m_pieces[piece].hash = m_rig.hash(piece);
        }
        for (std::size_t i = 0; i < m_options.reads_per_block && !m_good.empty(); ++i) {
            read_some();
        }
    }

    // Goes on with a piece whose hash, or whose clearing, has been answered.
    void tend(std::uint32_t index)
    {
        Piece& piece = m_pieces[index];
        if (has_come(piece.hash)) {
            REQUIRE(piece.hash->error == 0);
            if (std::exchange(piece.hash, nullptr)->digest == m_rig.image.hashes[index]) {
                m_good.push_back(index);
            } else {
                ++m_bad_pieces;
                piece.cleared = m_rig.clear(index);
            }
        }
        if (has_come(piece.cleared)) {
            piece.cleared = nullptr;
            const std::uint64_t end = m_rig.image.piece_offset(index) + m_rig.image.piece_size(index);
            for (std::uint64_t at = m_rig.image.piece_offset(index); at < end; at += block_bytes) {
                queue(at / block_bytes, EngineRig::Data::right);
            }
        }
    }

    // Somebody asks for a part of a good piece, at most a block, as in BitTorrent.
    void read_some()
    {
        const std::uint32_t piece = m_good[m_random() % m_good.size()];
        const std::uint64_t start = m_random() % m_rig.image.piece_size(piece);
        const std::uint64_t length =
            1 + m_random() % std::min<std::uint64_t>(block_bytes, m_rig.image.piece_size(piece) - start);
        const std::uint64_t offset = m_rig.image.piece_offset(piece) + start;
        m_readings.push_back({offset, length, m_rig.read(offset, length)});
        if (m_readings.size() >= 64) {
            REQUIRE(m_rig.network.run_until([&] { return has_come(m_readings.front().answer); }));
            check_reads();
        }
    }

    // Checks what has come, and gives it back.
    void check_reads()
    {
        std::erase_if(m_readings, [this](const Reading& reading) {
            if (!has_come(reading.answer)) {
                return false;
            }
            CHECK(m_rig.is_right(*reading.answer, reading.offset, reading.length));
            m_rig.free(*reading.answer);
            return true;
        });
    }

    EngineRig& m_rig;
    const Options m_options;
    std::mt19937_64 m_random;
    std::vector<Peer> m_peers;
    std::vector<Piece> m_pieces;
    std::vector<std::uint32_t> m_good;
    std::vector<Reading> m_readings;
    std::size_t m_bad_pieces = 0;
};

} // namespace ezio::test

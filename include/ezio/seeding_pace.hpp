// SPDX-License-Identifier: GPL-2.0-or-later
//
// How much the seeder gives out in advance, from what it has been seen to send.
//
// A piece of which everybody gets a bit now is complete nowhere for a long time, and until then nobody can pass
// it on. So no more is given out than keeps the link busy for a moment: with 16 peers, one after the other gets
// a piece, at the speed of the link. Measured with 16 targets at 50 Mbit, what the hosts received in the first
// three seconds: 49 % of their links when all were given pieces at once, see README for what it is now.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace ezio {

// Times are since any fixed moment, and do not go back.
class SeedingPace {
  public:
    using Time = std::chrono::milliseconds;

    explicit SeedingPace(std::uint32_t blocks_per_piece) : m_blocks_per_piece(blocks_per_piece) {}

    void sent_block(Time now);

    // So many blocks should be given out and not sent: those of 0.4 s, and at least two pieces, so that the next
    // is asked for while one is being sent.
    [[nodiscard]] std::uint64_t blocks_in_advance(Time now);

    // What has been given out for longer than it takes to send does not count: its peer is slow, or its link is
    // busy with what others send it. So at the least, pieces are given out as fast as the link has been.
    [[nodiscard]] Time late_after(Time now);

  private:
    static constexpr Time slot{500};

    void advance_to(Time now);
    [[nodiscard]] double blocks_per_second(Time now);

    const std::uint32_t m_blocks_per_piece;
    std::array<std::uint32_t, 8> m_sent{}; // in each of the last slots; the link is as fast as in the best one
    std::int64_t m_slot = 0;               // the current one
};

} // namespace ezio

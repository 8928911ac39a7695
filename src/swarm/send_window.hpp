// SPDX-License-Identifier: GPL-2.0-or-later
//
// Decides how much the seeder gives out in advance: enough to keep its link busy for a moment, judged by the
// rate that it has reached. With more, each of many peers gets a little of its piece at a time, and for a
// long time none is complete and can be passed on. All peers wait for that at the start, and again at the
// end.
#pragma once

#include "ezio/util/clock.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <unordered_map>

namespace ezio {

// Not thread-safe. Time must not go backwards.
class SendWindow {
  public:
    explicit SendWindow(std::uint64_t piece_length); // in bytes, at least 1

    // The piece was given to a peer, which will request it. If it is given again, it counts again.
    void given(std::uint32_t piece, Clock::time_point now);

    // A block, of any piece, was sent.
    void sent_block(std::uint32_t piece, Clock::time_point now);

    // No (more) blocks of this piece will be sent.
    void gone(std::uint32_t piece);

    // Whether another piece should be given out.
    [[nodiscard]] bool has_room(Clock::time_point now);

  private:
    struct OnItsWay {
        std::uint64_t blocks_left;
        std::uint64_t number; // of the gift
    };
    struct Gift {
        Clock::time_point time;
        std::uint32_t piece;
        std::uint64_t number;
    };

    void forget_late_ones(Clock::time_point now);
    [[nodiscard]] double blocks_per_second(Clock::time_point now);
    [[nodiscard]] double wanted_blocks(Clock::time_point now);
    void advance_to(Clock::time_point now);

    const std::uint64_t m_blocks_per_piece;
    std::unordered_map<std::uint32_t, OnItsWay> m_on_their_way;
    std::uint64_t m_blocks_on_their_way = 0;
    std::deque<Gift> m_gifts; // oldest first; some are finished
    std::uint64_t m_gift_count = 0;
    std::array<std::uint32_t, 8> m_sent{}; // blocks in each of the last time slots
    std::int64_t m_slot = 0;               // the current one
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tells a source that is not what the torrent says from one bad peer among good ones. A peer that alone has
// sent a wrong piece is hung up on. If that was the only source, or if wrong pieces come and come and not one
// right one between them, a fetch would wait or try for ever. A wrong piece that came from several peers says
// nothing of the others among them.
//
// Invariant: m_piece is set exactly when a peer alone gave a wrong piece after the last one that was right,
// but for those that were on their way then.
#pragma once

#include "ezio/util/clock.hpp"

#include <cstdint>
#include <optional>

namespace ezio {

class WrongData {
  public:
    // As many wrong pieces in a row, from peers that stay or come back, are no accident.
    static constexpr unsigned most_in_a_row = 20;
    // Who was banned is gone, and others may be on their way.
    static constexpr milliseconds patience{5000};
    // Pieces found right so soon after a wrong one may be from the same peer, which was hung up on meanwhile.
    static constexpr milliseconds on_the_way{1000};

    void given_alone(std::uint32_t piece, Clock::time_point now);

    // `right` grows with every piece that is found right; `has_source`: a connected peer has something that
    // is missing here.
    void observe(std::uint64_t right, bool has_source, Clock::time_point now);

    // A wrong piece, when waiting for a right one is hopeless.
    [[nodiscard]] std::optional<std::uint32_t> hopeless(Clock::time_point now) const;

  private:
    std::optional<std::uint32_t> m_piece; // the last such
    unsigned m_in_a_row = 0;
    std::uint64_t m_right = 0;
    Clock::time_point m_last_source;
    Clock::time_point m_last_given; // a wrong piece
};

} // namespace ezio

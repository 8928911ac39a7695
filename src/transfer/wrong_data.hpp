// SPDX-License-Identifier: GPL-2.0-or-later
//
// Distinguishes a source that does not match the torrent from one bad peer among good ones. A peer that is
// the only source of a wrong piece is disconnected. If it was the only source of data, or if wrong pieces
// keep arriving without a single right one, a fetch would wait or retry forever. A wrong piece from several
// peers proves nothing about each of them.
//
// Invariant: m_piece is set exactly when a single peer has given a wrong piece since the last right one, not
// counting right pieces that were on their way.
#pragma once

#include "ezio/util/clock.hpp"

#include <cstdint>
#include <optional>

namespace ezio {

class WrongData {
  public:
    // This many wrong pieces in a row, from peers that stay or return, are not an accident.
    static constexpr unsigned most_in_a_row = 20;
    // A banned peer is gone, and others may be about to connect.
    static constexpr milliseconds patience{5000};
    // Pieces found right this soon after a wrong one may be from the same, meanwhile disconnected peer.
    static constexpr milliseconds on_the_way{1000};

    void given_alone(std::uint32_t piece, Clock::time_point now);

    // `right` grows with every piece that is found right; `has_source`: a connected peer has something that
    // is missing here.
    void observe(std::uint64_t right, bool has_source, Clock::time_point now);

    // A wrong piece, if waiting for a right one is hopeless.
    [[nodiscard]] std::optional<std::uint32_t> hopeless(Clock::time_point now) const;

  private:
    std::optional<std::uint32_t> m_piece; // the last wrong piece from a single peer
    unsigned m_in_a_row = 0;
    std::uint64_t m_right = 0;
    Clock::time_point m_last_source;
    Clock::time_point m_last_given; // a wrong piece
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// The order in which verified pieces are written: by their first byte on the device. It can differ from the
// payload's, because a torrent's extents can be in any order.
#pragma once

#include "ezio/image/image.hpp"

#include <cstdint>
#include <vector>

namespace ezio {

// Constant once made: any thread.
class WriteOrder {
  public:
    WriteOrder() = default; // pieces by number
    explicit WriteOrder(const Image& image);

    // The piece's place in the order, from 0, and the piece at a place.
    [[nodiscard]] std::uint32_t place_of(std::uint32_t piece) const
    {
        return m_places.empty() ? piece : m_places[piece];
    }
    [[nodiscard]] std::uint32_t piece_at(std::uint32_t place) const
    {
        return m_pieces.empty() ? place : m_pieces[place];
    }

  private:
    std::vector<std::uint32_t> m_pieces; // by place; both empty if the order is that of the numbers
    std::vector<std::uint32_t> m_places; // by piece
};

} // namespace ezio

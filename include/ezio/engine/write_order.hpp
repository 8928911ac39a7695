// SPDX-License-Identifier: GPL-2.0-or-later
//
// The order in which verified pieces are written: that of their first bytes on the device, which need not be
// that of the payload, since a torrent's extents come in any order.
#pragma once

#include "ezio/image/image.hpp"

#include <cstdint>
#include <vector>

namespace ezio {

// Constant once made: any thread.
class WriteOrder {
  public:
    WriteOrder() = default; // pieces as they are numbered
    explicit WriteOrder(const Image& image);

    // The piece's place in the order, from 0, and the piece that has a place.
    [[nodiscard]] std::uint32_t place_of(std::uint32_t piece) const
    {
        return m_places.empty() ? piece : m_places[piece];
    }
    [[nodiscard]] std::uint32_t piece_at(std::uint32_t place) const
    {
        return m_pieces.empty() ? place : m_pieces[place];
    }

  private:
    std::vector<std::uint32_t> m_pieces; // by place; both empty when the pieces are in order as they are
    std::vector<std::uint32_t> m_places; // by piece
};

} // namespace ezio

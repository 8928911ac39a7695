// SPDX-License-Identifier: GPL-2.0-or-later
//
// The order in which verified pieces are written: by their first byte on the device. It can differ from the
// payload's, because a torrent's extents can be in any order. And the queue of those pieces, an elevator: it
// continues behind the last piece, and starts over at the end of the device.
#pragma once

#include "ezio/image/image.hpp"

#include <cstdint>
#include <set>
#include <utility>
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

// Not thread-safe.
class WriteQueue {
  public:
    explicit WriteQueue(WriteOrder order) : m_order(std::move(order)) {}

    void insert(std::uint32_t piece) { m_places.insert(m_order.place_of(piece)); }
    void erase(std::uint32_t piece) { m_places.erase(m_order.place_of(piece)); }
    [[nodiscard]] bool empty() const { return m_places.empty(); }

    // The next piece, which leaves the queue. Only if it is not empty.
    [[nodiscard]] std::uint32_t take();

    // Whether the next piece is the one that follows, in the order, the piece taken last.
    [[nodiscard]] bool next_is_adjacent() const { return m_places.count(m_next_place) != 0; }

  private:
    const WriteOrder m_order;
    std::set<std::uint32_t> m_places; // of the pieces
    std::uint32_t m_next_place = 0;
};

} // namespace ezio

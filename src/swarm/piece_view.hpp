// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tracks which pieces should be hidden from a peer, and which ones it was told are not here. A change of one
// piece is told at once. A change of all pieces is told in portions, so that little is queued for a peer that
// does not read.
//
// Invariant: while not is_behind(), the two are the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ezio {

// Not thread-safe.
class PieceView {
  public:
    struct Change {
        std::uint32_t piece;
        bool is_hidden;
    };

    // At first all pieces are visible.
    explicit PieceView(std::uint32_t pieces) : m_hidden(pieces), m_told(pieces) {}

    [[nodiscard]] bool is_hidden(std::uint32_t piece) const
    {
        return piece < m_hidden.size() && m_hidden[piece];
    }

    // Returns whether the peer has to be told now.
    [[nodiscard]] bool set(std::uint32_t piece, bool is_hidden);

    // The changes are told through next_changes().
    void set_all(bool is_hidden);
    [[nodiscard]] bool is_behind() const { return m_left > 0; }

    // The next changes to tell; they then count as told.
    [[nodiscard]] std::vector<Change> next_changes(std::size_t most);

  private:
    std::vector<bool> m_hidden;
    std::vector<bool> m_told;
    std::size_t m_left = 0; // the number of last pieces not examined yet
};

} // namespace ezio

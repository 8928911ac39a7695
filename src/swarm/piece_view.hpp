// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which pieces are to be hidden from a peer, and which ones it was told are not here. A change of one piece
// is told at once; a change of all pieces in portions, so that little is queued for a peer that does not
// read.
//
// Invariant: while not is_behind(), both are the same.
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

    // At first it sees all of them.
    explicit PieceView(std::uint32_t pieces) : m_hidden(pieces), m_told(pieces) {}

    [[nodiscard]] bool is_hidden(std::uint32_t piece) const
    {
        return piece < m_hidden.size() && m_hidden[piece];
    }

    // Returns whether the peer is to be told now.
    [[nodiscard]] bool set(std::uint32_t piece, bool is_hidden);

    // To be told by next_changes().
    void set_all(bool is_hidden);
    [[nodiscard]] bool is_behind() const { return m_left > 0; }

    // What to tell it next, and is then taken as told.
    [[nodiscard]] std::vector<Change> next_changes(std::size_t most);

  private:
    std::vector<bool> m_hidden;
    std::vector<bool> m_told;
    std::size_t m_left = 0; // pieces, the last ones, that have not been looked at
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Decides when peers have to wait for the disk. libtorrent stops reading from a peer only while that peer has
// unanswered writes, so delaying the answers is the only brake. Above the high mark answers are held; at the
// low mark all of them are released. Between the marks the state does not change.
#pragma once

#include <cstddef>

namespace ezio {

// Not thread-safe. The caller chooses the unit (the disk engine counts slabs).
class BackPressure {
  public:
    // 0 <= low < high.
    BackPressure(std::size_t low, std::size_t high) : m_low(low), m_high(high) {}

    // Sets the level. Returns true when this ends a hold: everything held may be answered.
    [[nodiscard]] bool set_level(std::size_t level)
    {
        const bool was_holding = m_holding;
        if (level >= m_high) {
            m_holding = true;
        } else if (level <= m_low) {
            m_holding = false;
        }
        return was_holding && !m_holding;
    }

    [[nodiscard]] bool holding() const { return m_holding; }

  private:
    const std::size_t m_low;
    const std::size_t m_high;
    bool m_holding = false;
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// When peers must wait for the disk. libtorrent stops reading from a peer only while that peer has writes
// that were not answered, so holding their answers back is the one brake there is: above the high mark they
// are held, at the low mark all of them are let go. Between the two, whatever was decided last goes on.
#pragma once

#include <cstddef>

namespace ezio {

// Not thread-safe. The unit is the caller's (the disk engine counts slabs).
class BackPressure {
  public:
    // 0 <= low < high.
    BackPressure(std::size_t low, std::size_t high) : m_low(low), m_high(high) {}

    // Tells the level. Returns true when this call ends a hold: everything held may be answered.
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

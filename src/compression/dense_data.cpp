// SPDX-License-Identifier: GPL-2.0-or-later
#include "dense_data.hpp"

#include <algorithm>

namespace ezio {

void DenseData::did_not_shrink()
{
    constexpr unsigned longest = certain + 6 * tries; // the skipping does not increase beyond it
    if (is_likely() && !m_counts) {
        return;
    }
    m_in_a_row = std::min(m_in_a_row + 1, longest);
    if (m_in_a_row == certain) {
        m_position = unit_blocks;
    }
    m_counts = false;
}

unsigned DenseData::units_left_out() const
{
    return std::min(1U << (m_in_a_row - certain) / tries, most_units);
}

bool DenseData::leave_out()
{
    if (!is_likely()) {
        return false;
    }
    const unsigned cycle = unit_blocks * (1 + units_left_out());
    const unsigned position = m_position % cycle;
    m_position = position + 1;
    m_counts = m_counts || position == 0;
    return position >= unit_blocks; // the try comes first
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "piece_view.hpp"

#include <algorithm>

namespace ezio {

bool PieceView::set(std::uint32_t piece, bool is_hidden)
{
    m_hidden[piece] = is_hidden;
    const bool changes = m_told[piece] != is_hidden;
    m_told[piece] = is_hidden;
    return changes;
}

void PieceView::set_all(bool is_hidden)
{
    std::fill(m_hidden.begin(), m_hidden.end(), is_hidden);
    m_left = m_hidden.size();
}

std::vector<PieceView::Change> PieceView::next_changes(std::size_t most)
{
    std::vector<Change> changes;
    for (; m_left > 0 && changes.size() < most; --m_left) {
        const auto piece = static_cast<std::uint32_t>(m_hidden.size() - m_left);
        if (m_told[piece] != m_hidden[piece]) {
            m_told[piece] = m_hidden[piece];
            changes.push_back({piece, m_hidden[piece]});
        }
    }
    return changes;
}

} // namespace ezio

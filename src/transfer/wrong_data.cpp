// SPDX-License-Identifier: GPL-2.0-or-later
#include "wrong_data.hpp"

namespace ezio {

void WrongData::given_alone(std::uint32_t piece, Clock::time_point now)
{
    m_piece = piece;
    ++m_in_a_row;
    m_last_given = m_last_source = now; // the peer that sent it is one
}

void WrongData::observe(std::uint64_t right, bool has_source, Clock::time_point now)
{
    if (right != m_right) {
        m_right = right;
        m_in_a_row = 0;
        if (now - m_last_given >= on_the_way) {
            m_piece.reset();
        }
    }
    if (has_source) {
        m_last_source = now;
    }
}

std::optional<std::uint32_t> WrongData::hopeless(Clock::time_point now) const
{
    const bool alone = now - m_last_source >= patience;
    return m_piece && (alone || m_in_a_row >= most_in_a_row) ? m_piece : std::nullopt;
}

} // namespace ezio

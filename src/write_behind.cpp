// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/write_behind.hpp"

namespace ezio {

std::vector<Extent> WriteBehind::started(const Extent& range)
{
    m_on_the_way.push_back(range);
    m_bytes += range.length;
    std::vector<Extent> due;
    while (m_bytes > m_limit) {
        due.push_back(m_on_the_way.front());
        m_bytes -= m_on_the_way.front().length;
        m_on_the_way.pop_front();
    }
    return due;
}

} // namespace ezio

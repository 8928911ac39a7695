// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/write_behind.hpp"

namespace ezio {

std::vector<Extent> WriteBehind::started(const Extent& range, std::uint64_t bytes)
{
    m_on_the_way.push_back({range, bytes});
    m_bytes += bytes;
    std::vector<Extent> due;
    while (m_bytes > m_limit) {
        due.push_back(m_on_the_way.front().range);
        m_bytes -= m_on_the_way.front().bytes;
        m_on_the_way.pop_front();
    }
    return due;
}

} // namespace ezio

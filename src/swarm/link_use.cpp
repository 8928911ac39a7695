// SPDX-License-Identifier: GPL-2.0-or-later
#include "link_use.hpp"

#include <algorithm>
#include <utility>

namespace ezio {

void LinkUse::observe(Clock::time_point now)
{
    if (now - m_since < window) {
        return;
    }
    const double seconds = std::chrono::duration<double>(now - std::exchange(m_since, now)).count();
    const double rate = static_cast<double>(std::exchange(m_bytes, 0)) / seconds;
    m_most = std::max(m_most, (rate + std::exchange(m_last, rate)) / 2);
    m_little = rate < std::max(m_most / 4, always_little);
}

} // namespace ezio

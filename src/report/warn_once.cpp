// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/report/warn_once.hpp"

namespace ezio {

bool WarnOnce::tell(const std::string& message)
{
    if (m_told.size() >= limit || !m_told.insert(message).second) {
        return false;
    }
    m_reporter.warning(message);
    if (m_told.size() == limit) {
        m_reporter.warning("further warnings are not shown");
    }
    return true;
}

} // namespace ezio

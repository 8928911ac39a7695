// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/report/reporter.hpp"

#include <cstddef>
#include <set>
#include <string>

namespace ezio {

// Tells each message only once, and not too many in all: a hostile host must not fill the log or the memory.
class WarnOnce {
  public:
    static constexpr std::size_t limit = 100;

    // `reporter` must outlive it.
    explicit WarnOnce(Reporter& reporter) : m_reporter(reporter) {}

    // Returns whether the message was told: it is new, and the limit is not reached.
    bool tell(const std::string& message);

  private:
    Reporter& m_reporter;
    std::set<std::string> m_told;
};

} // namespace ezio

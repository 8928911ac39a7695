// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/report/reporter.hpp"

#include <cstddef>
#include <set>
#include <string>

namespace ezio {

// Warnings, each told once and not too many of them: a hostile host must not fill the log, or the memory.
class WarnOnce {
  public:
    static constexpr std::size_t limit = 100;

    // `reporter` must outlive it.
    explicit WarnOnce(Reporter& reporter) : m_reporter(reporter) {}

    // Returns whether it was told: it is new, and not one too many.
    bool tell(const std::string& message);

  private:
    Reporter& m_reporter;
    std::set<std::string> m_told;
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/fd.hpp"

#include <chrono>

namespace ezio {

// Lets one thread sleep until another has news for it. A notification before the wait ends the wait at once.
class Wakeup {
  public:
    Wakeup(); // throws std::system_error

    // Any thread.
    void notify() noexcept;

    // Returns when notified, or after `time`, but after 24 days at the latest.
    void wait_for(std::chrono::milliseconds time);

  private:
    Fd m_event;
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/watchdog.hpp"

#include "ezio/threads.hpp"

#include <utility>

namespace ezio {

Watchdog::Watchdog(std::chrono::milliseconds patience, std::function<void()> expired)
    : m_thread(start_thread([this, patience, expired = std::move(expired)] {
          std::unique_lock lock(m_mutex);
          if (!m_changed.wait_for(lock, patience, [this] { return m_over; })) {
              lock.unlock();
              expired();
          }
      }))
{}

Watchdog::~Watchdog()
{
    {
        const std::lock_guard lock(m_mutex);
        m_over = true;
    }
    m_changed.notify_one();
    m_thread.join();
}

} // namespace ezio

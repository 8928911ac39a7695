// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/background_sync.hpp"

#include <utility>

namespace ezio {

BackgroundSync::BackgroundSync(Target& target, Wakeup& wakeup, Step first, std::function<void()> then)
    : m_thread([this, &target, &wakeup, first = std::move(first), then = std::move(then)] {
          m_failure = first ? first() : std::nullopt;
          if (!m_failure) {
              m_failure = target.sync();
          }
          if (!m_failure && then) {
              then();
          }
          m_finished = true;
          wakeup.notify();
      })
{}

BackgroundSync::~BackgroundSync()
{
    m_thread.join();
}

} // namespace ezio

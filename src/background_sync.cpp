// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/background_sync.hpp"

namespace ezio {

BackgroundSync::BackgroundSync(Target& target, Wakeup& wakeup)
    : m_thread([this, &target, &wakeup] {
          m_failure = target.sync();
          m_finished = true;
          wakeup.notify();
      })
{}

BackgroundSync::~BackgroundSync()
{
    m_thread.join();
}

} // namespace ezio

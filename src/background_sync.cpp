// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/background_sync.hpp"

#include "ezio/threads.hpp"

namespace ezio {

BackgroundSync::BackgroundSync(Target& target, Wakeup& wakeup)
    : m_thread(start_thread([this, &target, &wakeup] {
          try {
              m_failure = target.sync();
          } catch (...) {
              m_thrown = std::current_exception();
          }
          m_finished = true;
          wakeup.notify();
      }))
{}

const std::optional<IoFailure>& BackgroundSync::failure() const
{
    if (m_thrown) {
        std::rethrow_exception(m_thrown);
    }
    return m_failure;
}

BackgroundSync::~BackgroundSync()
{
    m_thread.join();
}

} // namespace ezio

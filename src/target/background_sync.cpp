// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/background_sync.hpp"

#include "ezio/util/threads.hpp"

#include <utility>

namespace ezio {

BackgroundSync::BackgroundSync(Target& target, Wakeup& wakeup, Step first, std::function<void()> then)
    : m_thread(start_thread([this, &target, &wakeup, first = std::move(first), then = std::move(then)] {
          try {
              m_failure = first ? first() : std::nullopt;
              if (!m_failure) {
                  m_failure = target.sync();
              }
              if (!m_failure && then) {
                  then();
              }
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

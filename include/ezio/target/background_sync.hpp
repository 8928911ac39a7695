// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/target/target.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/wakeup.hpp"

#include <atomic>
#include <exception>
#include <functional>
#include <optional>
#include <thread>

namespace ezio {

// A sync of the target on a thread of its own: fsync can take long, and meanwhile its owner goes on reporting
// and listening to signals. So can what is to be written last.
class BackgroundSync {
  public:
    using Step = std::function<std::optional<IoFailure>()>;

    // Starts. Both must outlive it; `wakeup` is notified at the end. `first` is done on the thread before the
    // sync, which its failure replaces, and `then` after a sync that succeeded. Throws Error when a thread
    // cannot be started.
    BackgroundSync(Target& target, Wakeup& wakeup, Step first = {}, std::function<void()> then = {});
    ~BackgroundSync(); // waits for the end
    BackgroundSync(const BackgroundSync&) = delete;
    BackgroundSync& operator=(const BackgroundSync&) = delete;

    [[nodiscard]] bool finished() const { return m_finished; }

    // When finished. What the sync threw is thrown here again.
    [[nodiscard]] const std::optional<IoFailure>& failure() const;

  private:
    std::optional<IoFailure> m_failure; // published by m_finished
    std::exception_ptr m_thrown;        // likewise
    std::atomic<bool> m_finished = false;
    std::thread m_thread; // last: it uses the rest
};

} // namespace ezio

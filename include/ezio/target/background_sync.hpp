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

// Syncs the target on a thread of its own. fsync can take long, and meanwhile the owner keeps reporting and
// handling signals. The last writes can run on this thread, too.
class BackgroundSync {
  public:
    using Step = std::function<std::optional<IoFailure>()>;

    // Starts the sync. Both references must outlive it; `wakeup` is notified at the end. `first` runs on the
    // thread before the sync; if it fails, there is no sync. `then` runs after a successful sync. Throws
    // Error when the thread cannot be started.
    BackgroundSync(Target& target, Wakeup& wakeup, Step first = {}, std::function<void()> then = {});
    ~BackgroundSync(); // waits for the end
    BackgroundSync(const BackgroundSync&) = delete;
    BackgroundSync& operator=(const BackgroundSync&) = delete;

    [[nodiscard]] bool finished() const { return m_finished; }

    // Only when finished. Rethrows an exception of the thread.
    [[nodiscard]] const std::optional<IoFailure>& failure() const;

  private:
    std::optional<IoFailure> m_failure; // published by m_finished
    std::exception_ptr m_thrown;        // likewise
    std::atomic<bool> m_finished = false;
    std::thread m_thread; // last, because it uses the other members
};

} // namespace ezio

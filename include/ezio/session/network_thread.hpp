// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/mutex.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <libtorrent/fwd.hpp>
#include <libtorrent/io_context.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <thread>

namespace ezio {

// The thread that libtorrent's session and our plugins at its connections run on. What one of them throws
// does not end the process, as it does on a thread of libtorrent's own: the first exception is kept for the
// owner, and the thread goes on, since the owner's calls wait for its answers.
class NetworkThread {
  public:
    // Starts. `wake` is called when there is an exception to look for, on the thread. Throws Error when a
    // thread cannot be started.
    explicit NetworkThread(std::function<void()> wake);
    ~NetworkThread() { join(); }
    NetworkThread(const NetworkThread&) = delete;
    NetworkThread& operator=(const NetworkThread&) = delete;

    [[nodiscard]] lt::io_context& context() { return m_context; }

    // Throws again what was thrown.
    void throw_if_failed() const;

    // Waits until there is nothing left to do. Idempotent.
    void join();

  private:
    void run();

    const std::function<void()> m_wake;
    lt::io_context m_context{1};
    std::optional<boost::asio::executor_work_guard<lt::io_context::executor_type>> m_work;
    mutable Mutex m_mutex;
    std::exception_ptr m_thrown GUARDED_BY(m_mutex);
    std::thread m_thread; // last: it uses the rest
};

} // namespace ezio

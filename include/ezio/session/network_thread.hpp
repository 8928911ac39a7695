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

// The thread that runs libtorrent's session and our plugins on its connections. An exception on libtorrent's
// own thread would end the process. This one keeps the first exception for its owner, and goes on, because
// synchronous calls to the session wait for it.
class NetworkThread {
  public:
    // Starts the thread, which calls `wake` after an exception. Throws Error when it cannot be started.
    explicit NetworkThread(std::function<void()> wake);
    ~NetworkThread() { join(); }
    NetworkThread(const NetworkThread&) = delete;
    NetworkThread& operator=(const NetworkThread&) = delete;

    [[nodiscard]] lt::io_context& context() { return m_context; }

    // Throws the first exception again.
    void throw_if_failed() const;

    // Waits until no work is left. Idempotent.
    void join();

  private:
    void run();

    const std::function<void()> m_wake;
    lt::io_context m_context{1};
    std::optional<boost::asio::executor_work_guard<lt::io_context::executor_type>> m_work;
    mutable Mutex m_mutex;
    std::exception_ptr m_thrown GUARDED_BY(m_mutex);
    std::thread m_thread; // last, because it uses the other members
};

} // namespace ezio

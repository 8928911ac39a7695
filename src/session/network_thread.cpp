// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/session/network_thread.hpp"

#include "ezio/util/threads.hpp"

#include <utility>

namespace ezio {

NetworkThread::NetworkThread(std::function<void()> wake)
    : m_wake(std::move(wake)), m_work(boost::asio::make_work_guard(m_context)),
      m_thread(start_thread([this] { run(); }))
{}

void NetworkThread::run()
{
    for (;;) {
        try {
            m_context.run();
            return;
        } catch (...) {
            const MutexLock lock(m_mutex);
            if (!m_thrown) {
                m_thrown = std::current_exception();
            }
        }
        m_wake();
    }
}

void NetworkThread::throw_if_failed() const
{
    std::exception_ptr thrown;
    {
        const MutexLock lock(m_mutex);
        thrown = m_thrown;
    }
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

void NetworkThread::join()
{
    m_work.reset();
    if (m_thread.joinable()) {
        m_thread.join();
    }
}

} // namespace ezio

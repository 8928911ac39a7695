// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/engine/io_workers.hpp"

#include "ezio/util/threads.hpp"

#include <utility>

namespace ezio {

IoWorkers::IoWorkers(unsigned threads, Mutex& mutex, Step step)
    : m_mutex(mutex), m_step(std::move(step)), m_running(threads)
{
    try {
        for (unsigned i = 0; i < threads; ++i) {
            m_threads.push_back(start_thread([this] { run(); }));
        }
    } catch (...) {
        end();
        throw;
    }
}

IoWorkers::~IoWorkers()
{
    end();
}

void IoWorkers::end()
{
    {
        const MutexLock lock(m_mutex);
        stop({});
    }
    for (std::thread& thread : m_threads) {
        thread.join();
    }
}

void IoWorkers::wake()
{
    m_mutex.assert_held();
    if (m_idle > 0) {
        m_wake.notify_one();
    }
}

void IoWorkers::stop(std::function<void()> when_ended)
{
    m_mutex.assert_held();
    if (m_stopping) {
        return;
    }
    m_stopping = true;
    m_when_ended = std::move(when_ended);
    m_wake.notify_all();
}

void IoWorkers::run()
{
    const MutexLock lock(m_mutex);
    while (!m_stopping) {
        if (!m_step() && !m_stopping) {
            ++m_idle;
            m_wake.wait(m_mutex);
            --m_idle;
        }
    }
    if (--m_running == 0) {
        const auto when_ended = std::exchange(m_when_ended, {});
        const MutexUnlock unlocked(m_mutex);
        if (when_ended) {
            when_ended();
        }
    }
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/process/watchdog.hpp"

#include "ezio/util/threads.hpp"

#include <algorithm>
#include <utility>

namespace ezio {

Watchdog::Watchdog()
{
    start();
}

Watchdog::~Watchdog()
{
    end();
}

void Watchdog::set(Clock::time_point when, Action action)
{
    const MutexLock lock(m_mutex);
    m_when = when;
    m_action = std::move(action);
    m_changed.notify_one();
}

void Watchdog::bring_forward(Clock::time_point when, Action action)
{
    const MutexLock lock(m_mutex);
    m_when = m_when ? std::min(*m_when, when) : when;
    m_action = std::move(action);
    m_changed.notify_one();
}

void Watchdog::call_off()
{
    const MutexLock lock(m_mutex);
    m_when.reset();
    m_action = nullptr;
}

void Watchdog::renew_thread()
{
    end();
    start();
}

void Watchdog::start()
{
    {
        const MutexLock lock(m_mutex);
        m_over = false;
    }
    m_thread = start_thread([this] { watch(); });
}

void Watchdog::end()
{
    {
        const MutexLock lock(m_mutex);
        m_over = true;
    }
    m_changed.notify_one();
    if (m_thread.joinable()) { // a new one could not be started
        m_thread.join();
    }
}

void Watchdog::watch()
{
    const MutexLock lock(m_mutex);
    while (!m_over) {
        if (!m_when) {
            m_changed.wait(m_mutex);
        } else if (const auto when = *m_when; Clock::now() < when) { // a copy: m_when may change meanwhile
            m_changed.wait_until(m_mutex, when);
        } else {
            const Action action = std::exchange(m_action, nullptr);
            m_when.reset();
            const MutexUnlock unlocked(m_mutex);
            action();
        }
    }
}

} // namespace ezio

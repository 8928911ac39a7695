// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/process/disk_calls.hpp"

#include <utility>

namespace ezio {

DiskCalls::Call::Call(DiskCalls& calls) : m_calls(calls)
{
    const MutexLock lock(m_calls.m_mutex);
    m_entry = m_calls.m_begun.insert(Clock::now());
}

DiskCalls::Call::~Call()
{
    const MutexLock lock(m_calls.m_mutex);
    m_calls.m_begun.erase(m_entry);
}

void DiskCalls::set_disk(std::string path)
{
    const MutexLock lock(m_mutex);
    m_disk = std::move(path);
}

std::string DiskCalls::unanswered(milliseconds age) const
{
    const MutexLock lock(m_mutex);
    return !m_begun.empty() && Clock::now() - *m_begun.begin() >= age ? m_disk : std::string();
}

std::string describe_dead_disk(const std::string& disk)
{
    return disk + " does not answer: the process ends when the kernel gives its request back";
}

} // namespace ezio

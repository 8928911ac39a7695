// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit_workers.hpp"

#include "ezio/util/threads.hpp"

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>

#include <sys/resource.h>

namespace ezio {

namespace {

// Linux applies this to the calling thread only. On failure the thread works just as well.
void be_nice()
{
    constexpr int nicer = 5;
    constexpr id_t this_thread = 0;
    (void)setpriority(PRIO_PROCESS, this_thread, getpriority(PRIO_PROCESS, this_thread) + nicer);
}

} // namespace

UnitWorkers::UnitWorkers(Options options) : m_options(std::move(options))
{
    try {
        const MutexLock lock(m_mutex);
        while (m_threads.size() < m_options.threads) {
            m_threads.push_back(start_thread([this] { run(); }));
        }
    } catch (...) {
        stop();
        throw;
    }
}

UnitWorkers::~UnitWorkers()
{
    stop();
}

void UnitWorkers::submit(PackJob job)
{
    {
        const MutexLock lock(m_mutex);
        if (m_stopping) {
            return;
        }
        count_time();
        ++m_unfinished;
        m_waiting.push_back(std::move(job));
    }
    m_wake.notify_one();
}

std::deque<PackJob> UnitWorkers::take_back()
{
    const MutexLock lock(m_mutex);
    count_time();
    m_unfinished -= m_waiting.size();
    return std::exchange(m_waiting, {});
}

std::vector<PackedUnit> UnitWorkers::take_done()
{
    const MutexLock lock(m_mutex);
    m_notified = false;
    return std::exchange(m_done, {});
}

void UnitWorkers::throw_if_failed()
{
    const MutexLock lock(m_mutex);
    if (m_thrown) {
        std::rethrow_exception(m_thrown);
    }
}

std::chrono::nanoseconds UnitWorkers::occupied()
{
    const MutexLock lock(m_mutex);
    count_time();
    return m_occupied;
}

void UnitWorkers::count_time()
{
    const auto now = Clock::now();
    const auto busy = std::min<std::size_t>(m_unfinished, m_options.threads);
    m_occupied += std::chrono::duration_cast<std::chrono::nanoseconds>(now - m_counted) *
                  static_cast<std::int64_t>(busy);
    m_counted = now;
}

void UnitWorkers::stop()
{
    std::vector<std::thread> threads;
    {
        const MutexLock lock(m_mutex);
        m_stopping = true;
        threads.swap(m_threads);
    }
    m_wake.notify_all();
    for (std::thread& thread : threads) {
        thread.join();
    }
    const MutexLock lock(m_mutex);
    m_waiting.clear();
    m_done.clear();
}

void UnitWorkers::run()
{
    be_nice();
    const MutexLock lock(m_mutex);
    try {
        work();
    } catch (...) {
        m_thrown = std::current_exception();
    }
}

void UnitWorkers::work()
{
    Packer packer;
    while (!m_stopping) {
        if (m_waiting.empty()) {
            m_wake.wait(m_mutex);
            continue;
        }
        PackJob job = std::move(m_waiting.front());
        m_waiting.pop_front();
        PackedUnit unit = pack(packer, std::move(job));
        count_time();
        --m_unfinished;
        m_done.push_back(std::move(unit));
        if (!std::exchange(m_notified, true)) {
            const MutexUnlock unlocked(m_mutex);
            m_options.notify();
        }
    }
}

// Releases the mutex, which is held before and after.
PackedUnit UnitWorkers::pack(Packer& packer, PackJob job)
{
    const MutexUnlock unlocked(m_mutex);
    const std::size_t size = job.place.length;
    PackedUnit unit{std::move(job), {}};
    std::vector<char> packed;
    try {
        if (packer.pack(unit.job.effort, {unit.job.data.get(), size}, most_packed(size), packed)) {
            unit.packed.assign(packed.begin(), packed.end()); // without spare capacity
            unit.job.data.reset();
        }
    } catch (const std::bad_alloc&) { // it is sent uncompressed
        unit.packed.clear();
    }
    return unit;
}

} // namespace ezio

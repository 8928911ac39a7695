// SPDX-License-Identifier: GPL-2.0-or-later
//
// std::mutex, std::unique_lock and std::condition_variable with the annotations that clang's -Wthread-safety
// checks: the target `lint` reports data that is used without the mutex that guards it. Other compilers
// ignore them.
//
// The analysis looks at one function at a time. A lambda is a function of its own: it starts with
// assert_held() if its caller holds the mutex. Condition::wait takes no predicate for the same reason; use a
// loop.
#pragma once

#include <condition_variable>
#include <mutex>

#ifdef __clang__
#define EZIO_THREAD_ANNOTATION(annotation) __attribute__((annotation))
#else
#define EZIO_THREAD_ANNOTATION(annotation)
#endif

#define GUARDED_BY(mutex) EZIO_THREAD_ANNOTATION(guarded_by(mutex)) // of a member
#define REQUIRES(mutex) \
    EZIO_THREAD_ANNOTATION(requires_capability(mutex)) // of a function: its caller holds it
#define EXCLUDES(mutex) EZIO_THREAD_ANNOTATION(locks_excluded(mutex))
#define ACQUIRE(...) EZIO_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) EZIO_THREAD_ANNOTATION(release_capability(__VA_ARGS__))

namespace ezio {

class EZIO_THREAD_ANNOTATION(capability("mutex")) Mutex {
  public:
    // Tells the compiler that the caller holds the mutex.
    void assert_held() const EZIO_THREAD_ANNOTATION(assert_capability(this)) {}

  private:
    friend class MutexLock;
    friend class MutexUnlock;
    friend class Condition;
    std::mutex m_mutex;
};

// Holds a mutex for its lifetime.
class EZIO_THREAD_ANNOTATION(scoped_lockable) MutexLock {
  public:
    explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : m_mutex(mutex.m_mutex) { m_mutex.lock(); }
    ~MutexLock() RELEASE() { m_mutex.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

  private:
    std::mutex& m_mutex;
};

// Releases a held mutex while it lives.
class EZIO_THREAD_ANNOTATION(scoped_lockable) MutexUnlock {
  public:
    explicit MutexUnlock(Mutex& mutex) RELEASE(mutex) : m_mutex(mutex.m_mutex) { m_mutex.unlock(); }
    ~MutexUnlock() RELEASE() { m_mutex.lock(); }
    MutexUnlock(const MutexUnlock&) = delete;
    MutexUnlock& operator=(const MutexUnlock&) = delete;

  private:
    std::mutex& m_mutex;
};

class Condition {
  public:
    void notify_one() { m_condition.notify_one(); }
    void notify_all() { m_condition.notify_all(); }

    // Both return when notified, and sometimes spuriously.
    void wait(Mutex& mutex) REQUIRES(mutex)
    {
        std::unique_lock lock(mutex.m_mutex, std::adopt_lock);
        m_condition.wait(lock);
        lock.release();
    }
    template <typename TimePoint>
    void wait_until(Mutex& mutex, TimePoint when) REQUIRES(mutex)
    {
        std::unique_lock lock(mutex.m_mutex, std::adopt_lock);
        m_condition.wait_until(lock, when);
        lock.release();
    }

  private:
    std::condition_variable m_condition;
};

} // namespace ezio

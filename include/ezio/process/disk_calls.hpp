// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/clock.hpp"
#include "ezio/util/mutex.hpp"

#include <set>
#include <string>

namespace ezio {

// The calls on the target or source that have not returned. When the process does not end, they show whether
// a disk does not answer. Any thread.
class DiskCalls {
  public:
    // One call, for its lifetime.
    class Call {
      public:
        explicit Call(DiskCalls& calls);
        ~Call();
        Call(const Call&) = delete;
        Call& operator=(const Call&) = delete;

      private:
        DiskCalls& m_calls;
        std::multiset<Clock::time_point>::iterator m_entry;
    };

    // The name of the disk for messages.
    void set_disk(std::string path);

    // The disk if a call on it has lasted for `age` or longer, otherwise an empty string.
    [[nodiscard]] std::string unanswered(milliseconds age = milliseconds(0)) const;

  private:
    mutable Mutex m_mutex;
    std::multiset<Clock::time_point> m_begun GUARDED_BY(m_mutex); // the start of each call
    std::string m_disk GUARDED_BY(m_mutex);
};

// Calls on a healthy disk can be in progress at any moment; one that lasts this long hangs.
inline constexpr milliseconds hanging_call{1000};

// "/dev/sda does not answer: the process ends when the kernel gives its request back".
[[nodiscard]] std::string describe_dead_disk(const std::string& disk);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/clock.hpp"

#include <mutex>
#include <set>
#include <string>

namespace ezio {

// The calls on the target or source that have not returned yet. When the process does not end, they tell a
// disk that does not answer from everything else. Any thread.
class DiskCalls {
  public:
    // One call, while this lives.
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

    // What the calls are on, for messages.
    void set_disk(std::string path);

    // The disk when a call on it has been out for `age` or longer, else an empty string.
    [[nodiscard]] std::string unanswered(milliseconds age = milliseconds(0)) const;

  private:
    mutable std::mutex m_mutex;               // guards the rest
    std::multiset<Clock::time_point> m_begun; // when each was made
    std::string m_disk;
};

// A call on a healthy disk may be out at any moment; one that has been out for so long hangs.
inline constexpr milliseconds hanging_call{1000};

// "/dev/sda does not answer: the process ends when the kernel gives its request back".
[[nodiscard]] std::string describe_dead_disk(const std::string& disk);

} // namespace ezio

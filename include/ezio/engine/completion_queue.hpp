// SPDX-License-Identifier: GPL-2.0-or-later
//
// Transfers results from the disk threads to the network thread in batches: at most one post is in flight,
// and it delivers everything gathered by the time it runs.
#pragma once

#include "ezio/util/mutex.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace ezio {

using Completion = std::function<void()>;
using Completions = std::vector<Completion>;

class CompletionQueue {
  public:
    // Runs a function on the network thread later, never within the call. Any thread may call it.
    using Post = std::function<void(std::function<void()>)>;

    explicit CompletionQueue(Post post) : m_post(std::move(post)), m_state(std::make_shared<State>()) {}

    // Takes the completions out of `ready`, to run in their order on the network thread. They are moved,
    // never copied. Any thread. The caller may hold a lock, so that the answers have the order of the state
    // that it guards. If the result is true, deliver_soon() must follow, without the lock.
    [[nodiscard]] bool add(Completions& ready);
    void deliver_soon();

  private:
    struct State {
        Mutex mutex;
        Completions waiting GUARDED_BY(mutex);
        bool in_flight GUARDED_BY(mutex) = false;
    };
    static void deliver(State& state);

    const Post m_post;
    const std::shared_ptr<State> m_state; // shared with the post in flight, which may outlive the queue
};

} // namespace ezio

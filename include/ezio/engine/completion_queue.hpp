// SPDX-License-Identifier: GPL-2.0-or-later
//
// Brings results from the disk threads to the network thread in bulk: however many are waiting, one post is
// in flight, and it delivers all that have gathered by the time it runs.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace ezio {

using Completion = std::function<void()>;
using Completions = std::vector<Completion>;

class CompletionQueue {
  public:
    // Runs a function on the network thread, some time after it returns. Any thread may call it.
    using Post = std::function<void(std::function<void()>)>;

    explicit CompletionQueue(Post post) : m_post(std::move(post)), m_state(std::make_shared<State>()) {}

    // Takes the completions out of `ready`, to run in their order on the network thread, and nowhere else:
    // they are moved, never copied. Any thread. A lock of the caller's may be held, so that the order of
    // what it guards is the order of the answers; when the result is true, deliver_soon() must follow,
    // without a lock.
    [[nodiscard]] bool add(Completions& ready);
    void deliver_soon();

  private:
    struct State {
        std::mutex mutex;
        Completions waiting;    // guarded by mutex
        bool in_flight = false; // guarded by mutex
    };
    static void deliver(State& state);

    const Post m_post;
    const std::shared_ptr<State> m_state; // shared with the post in flight, which may outlive the queue
};

} // namespace ezio

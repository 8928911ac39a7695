// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/engine/completion_queue.hpp"

#include <iterator>
#include <utility>

namespace ezio {

bool CompletionQueue::add(Completions& ready)
{
    if (ready.empty()) {
        return false;
    }
    const MutexLock lock(m_state->mutex);
    std::move(ready.begin(), ready.end(), std::back_inserter(m_state->waiting));
    ready.clear();
    return !std::exchange(m_state->in_flight, true);
}

void CompletionQueue::deliver_soon()
{
    m_post([state = m_state] { deliver(*state); });
}

void CompletionQueue::deliver(State& state)
{
    Completions batch;
    {
        const MutexLock lock(state.mutex);
        batch.swap(state.waiting);
        state.in_flight = false; // later completions need a new post
    }
    for (const Completion& completion : batch) {
        completion();
    }
}

} // namespace ezio

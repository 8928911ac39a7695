// SPDX-License-Identifier: GPL-2.0-or-later
#include "send_queue.hpp"

#include <algorithm>
#include <utility>

namespace ezio {

bool SendQueue::add(const UnitPlace& block)
{
    if (m_blocks.size() >= most_blocks) {
        return false;
    }
    m_blocks.push_back(block);
    return true;
}

bool SendQueue::cancel(const UnitPlace& block)
{
    const auto found = std::find(m_blocks.begin(), m_blocks.end(), block);
    if (found == m_blocks.end()) {
        return false;
    }
    m_blocks.erase(found);
    return true;
}

std::vector<UnitPlace> SendQueue::take_all()
{
    const auto blocks = std::exchange(m_blocks, {});
    return {blocks.begin(), blocks.end()};
}

UnitPlace SendQueue::next_run(std::uint32_t unit_bytes) const
{
    UnitPlace run = m_blocks.front();
    const std::uint32_t boundary = run.start / unit_bytes * unit_bytes + unit_bytes;
    for (auto block = m_blocks.begin() + 1; block != m_blocks.end(); ++block) {
        const std::uint32_t end = run.start + run.length;
        if (block->piece != run.piece || block->start != end || end >= boundary) {
            break;
        }
        run.length += block->length;
    }
    return run;
}

void SendQueue::pop(const UnitPlace& run)
{
    std::uint32_t left = run.length;
    while (left > 0 && !m_blocks.empty()) {
        left -= std::min(left, m_blocks.front().length);
        m_blocks.pop_front();
    }
}

} // namespace ezio

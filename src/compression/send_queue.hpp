// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "unit_message.hpp"

#include <cstddef>
#include <deque>
#include <vector>

namespace ezio {

// The blocks that one peer has requested and that will be answered with units, in the order of the requests.
// A block's place has the length of whole blocks: see UnitPlace.
class SendQueue {
  public:
    static constexpr std::size_t most_blocks = 512;

    // Returns false if there is no room.
    [[nodiscard]] bool add(const UnitPlace& block);

    // Returns false if it is not in the queue (any more).
    [[nodiscard]] bool cancel(const UnitPlace& block);

    [[nodiscard]] std::vector<UnitPlace> take_all();

    // The consecutive blocks at the head, up to the next multiple of `unit_bytes` in their piece.
    // The queue must not be empty.
    [[nodiscard]] UnitPlace next_run(std::uint32_t unit_bytes) const;

    // Removes the first blocks of the next run, which are being answered.
    void pop(const UnitPlace& run);

    [[nodiscard]] bool empty() const { return m_blocks.empty(); }
    [[nodiscard]] std::size_t size() const { return m_blocks.size(); }

  private:
    std::deque<UnitPlace> m_blocks;
};

} // namespace ezio

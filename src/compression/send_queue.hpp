// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "unit_message.hpp"

#include <cstddef>
#include <deque>
#include <vector>

namespace ezio {

// The blocks that one peer has asked for and that will be answered with units, in the order of its requests.
// A block is the place of whole blocks' length: see UnitPlace.
class SendQueue {
  public:
    static constexpr std::size_t most_blocks = 512;

    // Returns false when there is no room.
    [[nodiscard]] bool add(const UnitPlace& block);

    // Returns false when it is not there (any more).
    [[nodiscard]] bool cancel(const UnitPlace& block);

    [[nodiscard]] std::vector<UnitPlace> take_all();

    // The blocks at the head that follow each other, up to the next multiple of `unit_bytes` in their piece.
    // Not to be called when it is empty.
    [[nodiscard]] UnitPlace next_run(std::uint32_t unit_bytes) const;

    // The next run's first blocks: they are being answered.
    void pop(const UnitPlace& run);

    [[nodiscard]] bool empty() const { return m_blocks.empty(); }
    [[nodiscard]] std::size_t size() const { return m_blocks.size(); }

  private:
    std::deque<UnitPlace> m_blocks;
};

} // namespace ezio

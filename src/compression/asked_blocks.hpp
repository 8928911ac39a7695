// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "unit_message.hpp"

#include <cstdint>
#include <unordered_map>

namespace ezio {

// The blocks requested from one peer and not yet answered. Only these may arrive in units.
class AskedBlocks {
  public:
    void asked(std::uint32_t piece, std::uint32_t start) { ++m_blocks[key(piece, start)]; }

    // A request was answered in any way. Ignored for blocks that were not requested.
    void answered(std::uint32_t piece, std::uint32_t start)
    {
        const auto found = m_blocks.find(key(piece, start));
        if (found != m_blocks.end() && --found->second == 0) {
            m_blocks.erase(found);
        }
    }

    // Marks the run as answered. Returns false, and marks nothing, unless each of its blocks was requested.
    [[nodiscard]] bool take(const UnitPlace& run);

    [[nodiscard]] std::size_t size() const { return m_blocks.size(); }

  private:
    static std::uint64_t key(std::uint32_t piece, std::uint32_t start)
    {
        return std::uint64_t{piece} << 32 | start / block_bytes;
    }

    std::unordered_map<std::uint64_t, unsigned> m_blocks; // how often
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "unit_message.hpp"

#include <cstdint>
#include <unordered_map>

namespace ezio {

// The blocks that one peer was asked for and has not answered, which are the only ones that it may send in
// units.
class AskedBlocks {
  public:
    void asked(std::uint32_t piece, std::uint32_t start) { ++m_blocks[key(piece, start)]; }

    // A request was answered, by whatever. What is not asked for changes nothing.
    void answered(std::uint32_t piece, std::uint32_t start)
    {
        const auto found = m_blocks.find(key(piece, start));
        if (found != m_blocks.end() && --found->second == 0) {
            m_blocks.erase(found);
        }
    }

    // Takes the run as answered. Returns false, and takes none, unless each of its blocks is asked for.
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

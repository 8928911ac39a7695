// SPDX-License-Identifier: GPL-2.0-or-later
#include "asked_blocks.hpp"

namespace ezio {

bool AskedBlocks::take(const UnitPlace& run)
{
    for (std::uint32_t at = 0; at < run.length; at += block_bytes) {
        if (m_blocks.count(key(run.piece, run.start + at)) == 0) {
            return false;
        }
    }
    for (std::uint32_t at = 0; at < run.length; at += block_bytes) {
        answered(run.piece, run.start + at);
    }
    return true;
}

} // namespace ezio

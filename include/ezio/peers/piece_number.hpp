// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <libtorrent/units.hpp>

#include <cstdint>

namespace ezio {

[[nodiscard]] inline std::uint32_t to_number(lt::piece_index_t piece)
{
    return static_cast<std::uint32_t>(static_cast<int>(piece));
}

} // namespace ezio

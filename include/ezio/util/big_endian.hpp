// SPDX-License-Identifier: GPL-2.0-or-later
//
// Numbers as XFS and BitTorrent have them: `offset` and what follows must be within `bytes`.
#pragma once

#include <boost/endian/conversion.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ezio {

[[nodiscard]] inline std::uint16_t big_u16(std::span<const std::byte> bytes, std::size_t offset)
{
    return boost::endian::load_big_u16(reinterpret_cast<const unsigned char*>(&bytes[offset]));
}

[[nodiscard]] inline std::uint32_t big_u32(std::span<const std::byte> bytes, std::size_t offset)
{
    return boost::endian::load_big_u32(reinterpret_cast<const unsigned char*>(&bytes[offset]));
}

[[nodiscard]] inline std::uint64_t big_u64(std::span<const std::byte> bytes, std::size_t offset)
{
    return boost::endian::load_big_u64(reinterpret_cast<const unsigned char*>(&bytes[offset]));
}

} // namespace ezio

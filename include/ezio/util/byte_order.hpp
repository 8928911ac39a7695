// SPDX-License-Identifier: GPL-2.0-or-later
//
// Integers in a given byte order: little-endian as on PCs' disks, big-endian as in XFS and BitTorrent; and
// text. A read at `offset` must stay within `bytes`.
#pragma once

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ezio {

[[nodiscard]] inline std::uint64_t little_u16(std::span<const std::byte> bytes, std::size_t offset)
{
    return boost::endian::load_little_u16(reinterpret_cast<const unsigned char*>(&bytes[offset]));
}

[[nodiscard]] inline std::uint64_t little_u32(std::span<const std::byte> bytes, std::size_t offset)
{
    return boost::endian::load_little_u32(reinterpret_cast<const unsigned char*>(&bytes[offset]));
}

[[nodiscard]] inline std::uint64_t little_u64(std::span<const std::byte> bytes, std::size_t offset)
{
    return boost::endian::load_little_u64(reinterpret_cast<const unsigned char*>(&bytes[offset]));
}

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

[[nodiscard]] inline bool has_text_at(std::span<const std::byte> bytes, std::size_t offset,
                                      std::string_view text)
{
    return std::equal(text.begin(), text.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset),
                      [](char a, std::byte b) { return static_cast<std::byte>(a) == b; });
}

} // namespace ezio

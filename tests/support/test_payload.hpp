// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/image/image.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace ezio::test {

// Bytes that look random and are the same for the same seed; no two blocks are alike.
[[nodiscard]] inline std::vector<std::byte> random_bytes(std::uint64_t size, std::uint64_t seed)
{
    std::vector<std::byte> bytes(size);
    std::uint64_t word = seed;
    for (std::uint64_t at = 0; at < size; at += sizeof word) { // splitmix64's finish, on a counter
        std::uint64_t mixed = (word += 0x9e3779b97f4a7c15);
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        std::memcpy(&bytes[at], &mixed, std::min<std::uint64_t>(sizeof mixed, size - at));
    }
    return bytes;
}

[[nodiscard]] inline bool same_bytes(const std::byte* a, const std::byte* b, std::uint64_t length)
{
    return std::memcmp(a, b, length) == 0;
}

[[nodiscard]] inline Sha1Digest sha1_of(std::span<const std::byte> data)
{
    Sha1 sha1;
    sha1.update(data);
    return sha1.finish();
}

} // namespace ezio::test

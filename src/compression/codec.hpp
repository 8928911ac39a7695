// SPDX-License-Identifier: GPL-2.0-or-later
//
// The compressed formats that travel between peers. Pure functions of bytes; each unit is compressed alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace ezio {

// As it stands in a unit's message.
enum class Codec : std::uint8_t { lz4 = 1 };

// A set of codecs, a bit for each, as it stands in the handshake.
using CodecMask = std::uint8_t;
inline constexpr CodecMask lz4_bit = 1;
inline constexpr CodecMask known_codecs = lz4_bit;

// What a thread compresses with. Not thread-safe; it keeps the state that setting up takes longest.
class Packer {
  public:
    Packer();
    ~Packer();
    Packer(const Packer&) = delete;
    Packer& operator=(const Packer&) = delete;

    // Replaces `packed` by the compressed data. Returns false, and `packed` is unspecified, when that would be
    // more than `most` bytes.
    [[nodiscard]] bool pack(std::span<const std::byte> data, std::size_t most, std::vector<char>& packed);

  private:
    std::unique_ptr<std::byte[]> m_lz4_state;
};

// Fills `data` exactly from all of `packed`, of which any byte may be wrong; otherwise returns false, and `data`
// is unspecified.
[[nodiscard]] bool unpack(Codec codec, std::span<const char> packed, std::span<char> data);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// The compressed formats used between peers. Pure functions of bytes; each unit is compressed independently.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct ZSTD_CCtx_s;

namespace ezio {

// The values in a unit's message.
enum class Codec : std::uint8_t { lz4 = 1, zstd = 2 };

// A set of codecs, one bit for each, as in the handshake.
using CodecMask = std::uint8_t;
inline constexpr CodecMask lz4_bit = 1;
inline constexpr CodecMask zstd_bit = 2;
inline constexpr CodecMask known_codecs = lz4_bit | zstd_bit;

[[nodiscard]] constexpr CodecMask bit_of(Codec codec)
{
    return codec == Codec::lz4 ? lz4_bit : zstd_bit;
}

// How hard to compress: the codec, and zstd's level.
struct Effort {
    Codec codec = Codec::lz4;
    int level = 0; // ignored for lz4
};

// A thread's compressor. Not thread-safe; it keeps state that is expensive to set up.
class Packer {
  public:
    Packer();
    ~Packer();
    Packer(const Packer&) = delete;
    Packer& operator=(const Packer&) = delete;

    // Replaces `packed` by the compressed data. Returns false, with `packed` unspecified, if it would take
    // more than `most` bytes, or is likely to.
    [[nodiscard]] bool pack(Effort effort, std::span<const std::byte> data, std::size_t most,
                            std::vector<char>& packed);

  private:
    [[nodiscard]] std::size_t pack_lz4(std::span<const std::byte> data, std::span<char> packed);
    [[nodiscard]] std::size_t pack_zstd(int level, std::span<const std::byte> data, std::span<char> packed);
    [[nodiscard]] bool looks_dense(std::span<const std::byte> data);

    struct FreeZstd {
        void operator()(ZSTD_CCtx_s* context) const;
    };
    std::unique_ptr<std::byte[]> m_lz4_state;
    std::unique_ptr<ZSTD_CCtx_s, FreeZstd> m_zstd;
};

// Unpacks all of `packed` into `data`, which must be filled exactly. `packed` is untrusted. Otherwise returns
// false, with `data` unspecified.
[[nodiscard]] bool unpack(Codec codec, std::span<const char> packed, std::span<char> data);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "compression/codec.hpp"

#include <lz4.h>

namespace ezio {

Packer::Packer()
    : m_lz4_state(std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(LZ4_sizeofState())))
{}

Packer::~Packer() = default;

bool Packer::pack(std::span<const std::byte> data, std::size_t most, std::vector<char>& packed)
{
    constexpr int acceleration = 1; // 8: 1.3 times as fast, and a sixth larger
    packed.resize(most);
    const int size = LZ4_compress_fast_extState(
        m_lz4_state.get(), reinterpret_cast<const char*>(data.data()), packed.data(),
        static_cast<int>(data.size()), static_cast<int>(most), acceleration);
    packed.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return size > 0;
}

bool unpack(Codec codec, std::span<const char> packed, std::span<char> data)
{
    switch (codec) {
    case Codec::lz4:
        return LZ4_decompress_safe(packed.data(), data.data(), static_cast<int>(packed.size()),
                                   static_cast<int>(data.size())) == static_cast<int>(data.size());
    }
    return false;
}

} // namespace ezio

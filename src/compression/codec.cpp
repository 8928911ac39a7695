// SPDX-License-Identifier: GPL-2.0-or-later
#include "codec.hpp"

#include <lz4.h>
#include <zstd.h>

#include <array>
#include <new>

namespace ezio {

namespace {

bool unpack_lz4(std::span<const char> packed, std::span<char> data)
{
    return LZ4_decompress_safe(packed.data(), data.data(), static_cast<int>(packed.size()),
                               static_cast<int>(data.size())) == static_cast<int>(data.size());
}

// Accepts a single frame that states its content size, with nothing after it. This excludes skippable frames
// and frames of versions before the format was final.
bool unpack_zstd(std::span<const char> packed, std::span<char> data)
{
    return ZSTD_getFrameContentSize(packed.data(), packed.size()) == data.size() &&
           ZSTD_findFrameCompressedSize(packed.data(), packed.size()) == packed.size() &&
           ZSTD_decompress(data.data(), data.size(), packed.data(), packed.size()) == data.size();
}

} // namespace

void Packer::FreeZstd::operator()(ZSTD_CCtx_s* context) const
{
    ZSTD_freeCCtx(context);
}

Packer::Packer()
    : m_lz4_state(std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(LZ4_sizeofState()))),
      m_zstd(ZSTD_createCCtx())
{
    if (!m_zstd) {
        throw std::bad_alloc();
    }
}

Packer::~Packer() = default;

bool Packer::pack(Effort effort, std::span<const std::byte> data, std::size_t most, std::vector<char>& packed)
{
    packed.resize(most);
    packed.resize(effort.codec == Codec::lz4 ? pack_lz4(data, packed)
                                             : pack_zstd(effort.level, data, packed));
    return !packed.empty();
}

// Both return the size of the result; 0 if it does not fit.
std::size_t Packer::pack_lz4(std::span<const std::byte> data, std::span<char> packed)
{
    constexpr int acceleration = 1; // 8: 1.3 times as fast, and a sixth larger
    const int size = LZ4_compress_fast_extState(m_lz4_state.get(), reinterpret_cast<const char*>(data.data()),
                                                packed.data(), static_cast<int>(data.size()),
                                                static_cast<int>(packed.size()), acceleration);
    return size > 0 ? static_cast<std::size_t>(size) : 0;
}

std::size_t Packer::pack_zstd(int level, std::span<const std::byte> data, std::span<char> packed)
{
    if (looks_dense(data)) {
        return 0;
    }
    const std::size_t size =
        ZSTD_compressCCtx(m_zstd.get(), packed.data(), packed.size(), data.data(), data.size(), level);
    return ZSTD_isError(size) != 0 ? 0 : size;
}

// Compresses three probes with lz4: 9 us for 128 KiB. This detects 63 of 70 units that do not shrink, and
// wrongly gives up 20 of 1,930 others, 0.5 % of the ratio; zstd takes 100 to 140 us to find out. lz4 itself
// gives up as soon.
bool Packer::looks_dense(std::span<const std::byte> data)
{
    constexpr std::size_t probe = 4096;
    if (data.size() < 4 * probe) {
        return false;
    }
    std::array<char, probe - probe / 16> packed{};
    const std::array<std::size_t, 3> starts{0, data.size() / 2, data.size() - probe};
    for (const std::size_t start : starts) {
        if (pack_lz4(data.subspan(start, probe), packed) != 0) {
            return false;
        }
    }
    return true;
}

bool unpack(Codec codec, std::span<const char> packed, std::span<char> data)
{
    switch (codec) {
    case Codec::lz4:
        return unpack_lz4(packed, data);
    case Codec::zstd:
        return unpack_zstd(packed, data);
    }
    return false;
}

} // namespace ezio

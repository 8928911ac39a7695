// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit_message.hpp"

#include "ezio/peers/peer_messages.hpp"
#include "ezio/util/byte_order.hpp"

namespace ezio {

namespace {

constexpr char may_byte = 0;

bool is_known(char codec)
{
    return codec == static_cast<char>(Codec::lz4) || codec == static_cast<char>(Codec::zstd);
}

bool is_run_of_blocks(const UnitPlace& place, const Image& image)
{
    if (place.piece >= image.piece_count() || place.length == 0 || place.length > most_unit_bytes) {
        return false;
    }
    const std::uint64_t end = std::uint64_t{place.start} + place.length;
    const std::uint64_t size = image.piece_size(place.piece);
    return place.start % block_bytes == 0 && end <= size && (end % block_bytes == 0 || end == size);
}

} // namespace

void put_unit_head(std::string& payload, Codec codec, const UnitPlace& place)
{
    payload.push_back(static_cast<char>(codec));
    put_big_endian(payload, place.piece, 4);
    put_big_endian(payload, place.start, 4);
    put_big_endian(payload, place.length, 4);
}

std::string may_message(CodecMask codecs)
{
    return {may_byte, static_cast<char>(codecs)};
}

std::optional<CodecMask> parse_may(std::span<const char> payload)
{
    if (payload.size() != 2 || payload[0] != may_byte) {
        return std::nullopt;
    }
    return static_cast<CodecMask>(payload[1]);
}

std::optional<UnitView> parse_unit(std::span<const char> payload, const Image& image)
{
    if (payload.size() <= unit_head_bytes || !is_known(payload[0])) {
        return std::nullopt;
    }
    const auto bytes = std::as_bytes(payload);
    const UnitView unit{static_cast<Codec>(payload[0]),
                        {big_u32(bytes, 1), big_u32(bytes, 5), big_u32(bytes, 9)},
                        payload.subspan(unit_head_bytes)};
    if (!is_run_of_blocks(unit.place, image) || unit.packed.size() > unit.place.length) {
        return std::nullopt;
    }
    return unit;
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// The messages of the extension by which peers answer requests with compressed blocks (BEP 10). The extension
// handshake carries the message number, and one bit for each codec that the sender can read.
//     may:  0, a mask of codecs: what may be sent from now on; 0 means plain blocks
//     unit: codec, piece, start, length (32 bits each, big endian), compressed bytes
// A unit is a run of whole blocks of one piece, each requested by an ordinary REQUEST.
#pragma once

#include "codec.hpp"

#include "ezio/image/image.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace ezio {

// The key in the extension handshake. A different format needs a different key.
inline constexpr const char* units_key = "ezio_units1";
inline constexpr const char* codecs_key = "ezio_codecs";
inline constexpr std::uint8_t units_id = 40; // our number for messages from other peers

inline constexpr std::uint32_t most_unit_bytes = 256 * 1024; // the most that is accepted
inline constexpr std::size_t unit_head_bytes = 13;

// The longest payload of a message of this extension.
inline constexpr std::size_t most_message_bytes = unit_head_bytes + most_unit_bytes;

// The payload bytes that a unit stands for.
struct UnitPlace {
    std::uint32_t piece = 0;
    std::uint32_t start = 0; // bytes from the start of the piece
    std::uint32_t length = 0;

    auto operator<=>(const UnitPlace&) const = default;
};

struct UnitView {
    Codec codec = Codec::lz4;
    UnitPlace place;
    std::span<const char> packed;
};

// Appends the head of a unit, before the compressed bytes.
void put_unit_head(std::string& payload, Codec codec, const UnitPlace& place);
[[nodiscard]] std::string may_message(CodecMask codecs);

// Parses a whole payload; empty if it is another message.
[[nodiscard]] std::optional<CodecMask> parse_may(std::span<const char> payload);

// Also empty if the unit is not a run of whole blocks of one piece of `image`, or is larger than the bytes it
// stands for.
[[nodiscard]] std::optional<UnitView> parse_unit(std::span<const char> payload, const Image& image);

} // namespace ezio

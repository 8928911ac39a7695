// SPDX-License-Identifier: GPL-2.0-or-later
//
// The messages of the extension by which peers answer requests with compressed blocks (BEP 10). In the
// extension handshake stands the number that they are sent under, and a bit for each codec that the sender
// can read.
//     may:  0, a mask of codecs: what may be sent from now on; 0 means blocks as ever
//     unit: codec, piece, start, length (32 bits each, big endian), compressed bytes
// A unit is a run of whole blocks of one piece, each of which was asked for by an ordinary REQUEST.
#pragma once

#include "codec.hpp"

#include "ezio/image/image.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace ezio {

// In the extension handshake. Another format gets another name.
inline constexpr const char* units_key = "ezio_units1";
inline constexpr const char* codecs_key = "ezio_codecs";
inline constexpr std::uint8_t units_id = 40; // that others send us these messages under

inline constexpr std::uint32_t most_unit_bytes = 256 * 1024; // that is taken
inline constexpr std::size_t unit_head_bytes = 13;

// The longest payload of a message of this extension.
inline constexpr std::size_t most_message_bytes = unit_head_bytes + most_unit_bytes;

// Bytes of the payload that a unit stands for.
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

// Appends what comes before the compressed bytes.
void put_unit_head(std::string& payload, Codec codec, const UnitPlace& place);
[[nodiscard]] std::string may_message(CodecMask codecs);

// Of a whole payload; empty when it is not such a message.
[[nodiscard]] std::optional<CodecMask> parse_may(std::span<const char> payload);

// Also empty when the unit is not a run of whole blocks of one piece of `image`, or is larger than what it
// stands for.
[[nodiscard]] std::optional<UnitView> parse_unit(std::span<const char> payload, const Image& image);

} // namespace ezio

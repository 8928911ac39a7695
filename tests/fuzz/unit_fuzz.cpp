// SPDX-License-Identifier: GPL-2.0-or-later
// What a peer sends as a message of the compression extension: parsed, and unpacked into exactly what it
// says.
#include "compression/unit_message.hpp"

#include <cstdlib>
#include <memory>

namespace {

ezio::Image image()
{
    ezio::Image image;
    image.piece_length = 256 * 1024;
    image.hashes.resize(4);
    image.extents = {{0, 3 * image.piece_length + 40'000}};
    image.map = ezio::ExtentMap(image.extents);
    return image;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const ezio::Image of = image();
    const std::span<const char> payload(reinterpret_cast<const char*>(data), size);
    (void)ezio::parse_may(payload);
    if (const auto unit = ezio::parse_unit(payload, of)) {
        const ezio::UnitPlace& place = unit->place;
        if (place.length == 0 || place.start + place.length > of.piece_size(place.piece)) {
            std::abort();
        }
        const auto memory = std::make_unique<char[]>(place.length); // not a byte more, for the sanitizers
        (void)ezio::unpack(unit->codec, unit->packed, {memory.get(), place.length});
    }
    return 0;
}

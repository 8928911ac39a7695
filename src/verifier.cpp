// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/verifier.hpp"

#include "ezio/units.hpp"

#include <fmt/format.h>

namespace ezio {

namespace {

constexpr std::size_t named_ranges = 3;

// Where on the device these pieces are, adjacent ones joined.
std::vector<Extent> places_of(const Image& image, const std::vector<std::uint32_t>& pieces)
{
    std::vector<Extent> places;
    for (const std::uint32_t piece : pieces) {
        image.map.for_each(image.piece_offset(piece), image.piece_size(piece), [&](const ExtentMap::Range& range) {
            if (!places.empty() && places.back().end() == range.device_offset) {
                places.back().length += range.length;
            } else {
                places.push_back({range.device_offset, range.length});
            }
        });
    }
    return places;
}

} // namespace

std::vector<std::uint32_t> wrong_pieces(const Image& image, const std::vector<Sha1Digest>& digests)
{
    std::vector<std::uint32_t> wrong;
    for (std::uint32_t piece = 0; piece < image.piece_count(); ++piece) {
        if (digests[piece] != image.hashes[piece]) {
            wrong.push_back(piece);
        }
    }
    return wrong;
}

std::string describe_wrong(const Image& image, const std::vector<std::uint32_t>& wrong)
{
    const auto places = places_of(image, wrong);
    std::string text = fmt::format("{} of {} pieces differ, in {} extent{}:", wrong.size(), image.piece_count(),
                                   places.size(), places.size() == 1 ? "" : "s");
    for (std::size_t i = 0; i < places.size() && i < named_ranges; ++i) {
        text += fmt::format("{} {:#x} + {}", i > 0 ? "," : "", places[i].offset, format_bytes(places[i].length));
    }
    return places.size() > named_ranges ? text + ", ..." : text;
}

} // namespace ezio

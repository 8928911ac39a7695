// SPDX-License-Identifier: GPL-2.0-or-later
#include "volume_map.hpp"

#include <algorithm>

namespace ezio {

std::vector<PlacedExtent> parts_on(const VolumePlaces& places, const LogicalVolume& volume)
{
    std::vector<PlacedExtent> parts;
    for (const VolumePart& part : volume.parts) {
        if (const auto place = places.find(part.physical); place != places.end()) {
            parts.push_back({place->second.index, part.extent});
        }
    }
    return parts;
}

// The parts are in order and do not overlap, so equal lengths mean that there are no gaps.
bool is_complete(const VolumePlaces& places, const LogicalVolume& volume)
{
    return volume.length_of_parts() == volume.size &&
           std::all_of(volume.parts.begin(), volume.parts.end(),
                       [&](const VolumePart& part) { return places.contains(part.physical); });
}

std::optional<Extent> one_piece(const VolumePlaces& places, const LogicalVolume& volume)
{
    if (volume.parts.empty() || !is_complete(places, volume)) {
        return std::nullopt;
    }
    const auto begin_of = [&](const VolumePart& part) {
        return places.at(part.physical).offset + part.extent.offset;
    };
    Extent whole{begin_of(volume.parts.front()), 0};
    for (const VolumePart& part : volume.parts) {
        if (begin_of(part) != whole.end()) {
            return std::nullopt;
        }
        whole.length += part.extent.length;
    }
    return whole;
}

std::vector<PlacedExtent> placed(const VolumePlaces& places, const LogicalVolume& volume,
                                 const std::vector<Extent>& extents)
{
    std::vector<PlacedExtent> result;
    for (const VolumePart& part : volume.parts) {
        const auto place = places.find(part.physical);
        if (place == places.end()) {
            continue;
        }
        for (const Extent& extent : extents) {
            const std::uint64_t begin = std::max(extent.offset, part.offset);
            const std::uint64_t end = std::min(extent.end(), part.offset + part.extent.length);
            if (begin < end) {
                result.push_back(
                    {place->second.index, {part.extent.offset + begin - part.offset, end - begin}});
            }
        }
    }
    return result;
}

} // namespace ezio

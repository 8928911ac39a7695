// SPDX-License-Identifier: GPL-2.0-or-later
//
// Maps logical volumes to a disk with their physical volumes, as reported by LVM2.
#pragma once

#include "ezio/image/extent_map.hpp"
#include "lvm_report.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ezio {

// A physical volume on the disk.
struct VolumePlace {
    std::size_t index;    // which one of the areas
    std::uint64_t offset; // bytes from the start of the disk
};

using VolumePlaces = std::map<std::string, VolumePlace>; // by UUID

struct PlacedExtent {
    std::size_t index; // of the physical volume
    Extent extent;     // bytes from its start
    bool operator==(const PlacedExtent&) const = default;
};

// The parts of the volume that are on the disk.
[[nodiscard]] std::vector<PlacedExtent> parts_on(const VolumePlaces& places, const LogicalVolume& volume);

// Whether all of the volume is on the disk.
[[nodiscard]] bool is_complete(const VolumePlaces& places, const LogicalVolume& volume);

// The volume's extent on the disk, if it is complete and in one piece.
[[nodiscard]] std::optional<Extent> one_piece(const VolumePlaces& places, const LogicalVolume& volume);

// The places of extents of the volume, which are relative to it and within it. Missing parts are left out.
[[nodiscard]] std::vector<PlacedExtent> placed(const VolumePlaces& places, const LogicalVolume& volume,
                                               const std::vector<Extent>& extents);

} // namespace ezio

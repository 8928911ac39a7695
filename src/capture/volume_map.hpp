// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where a logical volume is on a disk that has physical volumes, as LVM2 reports it.
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
    std::size_t index;    // which one of several
    std::uint64_t offset; // bytes from the start of the disk
};

using VolumePlaces = std::map<std::string, VolumePlace>; // by UUID

struct PlacedExtent {
    std::size_t index; // of the physical volume
    Extent extent;     // bytes from its start
    bool operator==(const PlacedExtent&) const = default;
};

// The parts of it that are on the disk.
[[nodiscard]] std::vector<PlacedExtent> parts_on(const VolumePlaces& places, const LogicalVolume& volume);

// Whether all of it is on the disk.
[[nodiscard]] bool is_complete(const VolumePlaces& places, const LogicalVolume& volume);

// Where it is on the disk, when it is complete and in one piece.
[[nodiscard]] std::optional<Extent> one_piece(const VolumePlaces& places, const LogicalVolume& volume);

// Where extents of the volume, relative to it and within it, are. Those of missing parts are left out.
[[nodiscard]] std::vector<PlacedExtent> placed(const VolumePlaces& places, const LogicalVolume& volume,
                                               const std::vector<Extent>& extents);

} // namespace ezio

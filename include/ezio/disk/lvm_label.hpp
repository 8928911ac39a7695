// SPDX-License-Identifier: GPL-2.0-or-later
//
// Parses the beginning of an LVM2 physical volume. The label in one of the first four sectors points to the
// metadata areas; there can be a second one at the end. Each contains the text that describes the volume
// group, in a ring after a header of 512 bytes.
#pragma once

#include "ezio/image/extent_map.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ezio {

inline constexpr const char* lvm_type = "LVM2_member"; // a physical volume, as libblkid calls it

// An LVM2 UUID without the dashes with which it is often written.
[[nodiscard]] std::string without_dashes(std::string uuid);

// Where the metadata areas of the physical volume at `area` of the open device or file are; bytes from the
// start of `area`, and within it. None where it cannot be read, or is no physical volume.
[[nodiscard]] std::vector<Extent> lvm_metadata_areas(int fd, const Extent& area);

struct VolumeGroup {
    std::string name;
    std::string uuid; // without dashes
    bool operator==(const VolumeGroup&) const = default;
};

// The volume group that the metadata describes; empty: as above, or there is none.
[[nodiscard]] std::optional<VolumeGroup> volume_group_on(int fd, const Extent& area);

} // namespace ezio

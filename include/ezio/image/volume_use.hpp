// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a torrent notes of a logical volume of LVM2 that the image has a part of.
#pragma once

#include <cstdint>
#include <string>

namespace ezio {

// The list of them, in the torrent's note of the source, behind what it is.
inline constexpr const char* volumes_key = "volumes";

struct VolumeUse {
    std::string name;           // "vg0/root"
    std::string type;           // of what is on it, as libblkid calls it; empty: nothing known, not looked at
    std::uint64_t size = 0;     // bytes
    std::uint64_t in_image = 0; // of them
    std::uint64_t offset = 0;   // bytes from the start of the image's disk; 0: not in one piece
    bool operator==(const VolumeUse&) const = default;
};

} // namespace ezio

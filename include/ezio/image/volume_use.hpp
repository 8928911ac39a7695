// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a torrent records about an LVM2 logical volume that is at least partly in the image.
#pragma once

#include <cstdint>
#include <string>

namespace ezio {

// The key of their list in the torrent's note about the source.
inline constexpr const char* volumes_key = "volumes";

struct VolumeUse {
    std::string name;           // "vg0/root"
    std::string type;           // of its contents, as libblkid names it; empty: unknown, or not examined
    std::uint64_t size = 0;     // bytes
    std::uint64_t in_image = 0; // bytes
    std::uint64_t offset = 0;   // bytes from the start of the image's disk; 0: not in one piece
    bool operator==(const VolumeUse&) const = default;
};

} // namespace ezio

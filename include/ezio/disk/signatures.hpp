// SPDX-License-Identifier: GPL-2.0-or-later
//
// The bytes by which file systems, RAID members, partition tables and the like are known, and which of those
// on a target are left over from what was there before the image.
//
// An image leaves out what its file system does not use, and there the signatures of the target's earlier
// life survive: a RAID's superblock at the end of the disk, the second copy of something that was at its
// start. The kernel, udev and mount then see both, or the wrong one. The image decides: what it carries is
// its own; what lies wholly outside its extents, where one of its own signatures claims the same area (the
// whole disk, or a partition), is left over. An area that the image has no signature in is none of its
// business: a torrent of a few extents leaves the rest of the disk as it is.
#pragma once

#include "ezio/disk/recognition.hpp"
#include "ezio/image/extent_map.hpp"
#include "ezio/image/volume_use.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ezio {

struct Signature {
    std::string type; // "linux_raid_member", "gpt": as libblkid calls it
    Extent magic{};   // where its bytes are on the device
    bool is_table = false;
    bool operator==(const Signature&) const = default;
};

// A part of the device in which something may be: the whole of it, a partition, or a logical volume.
struct SignatureArea {
    Extent extent{};
    std::vector<Signature> found;
    Recognition recognition{}; // of the whole area
    std::string volume{};      // the name of a logical volume; empty: it is none
};

// Every signature that libblkid finds in `area` of the open device or file, all copies of each, in the order
// in which they are found. `sector_bytes` as for recognize. Empty when it cannot be read. Any thread.
[[nodiscard]] std::optional<std::vector<Signature>> find_signatures(int fd, const Extent& area,
                                                                    std::uint64_t sector_bytes);

// The whole of a device of `size` bytes, then the partitions of a table that lies in `used` (in device order,
// apart from each other), then those of `volumes` that are in one piece, on what `used` has the signature of
// a physical volume of, each with its signatures. Empty when it cannot be read. Any thread.
[[nodiscard]] std::optional<std::vector<SignatureArea>> search_areas(int fd, std::uint64_t size,
                                                                     std::uint64_t sector_bytes,
                                                                     std::span<const Extent> used,
                                                                     std::span<const VolumeUse> volumes = {});

// Those of `areas`, as search_areas returns them, that are left over from before the image, in device order
// and each place once.
[[nodiscard]] std::vector<Signature> stale_signatures(std::span<const SignatureArea> areas,
                                                      std::span<const Extent> used);

// What hides the image from whoever looks at the device: a sentence for each of the areas in which libblkid
// is not sure, or sees something else than what the image has there. `noted` is what the torrent says of its
// source. `device` is for the sentences.
[[nodiscard]] std::vector<std::string> hidden_areas(const std::string& device,
                                                    std::span<const SignatureArea> areas,
                                                    std::span<const Extent> used,
                                                    const std::optional<DiskIdentity>& noted);

} // namespace ezio

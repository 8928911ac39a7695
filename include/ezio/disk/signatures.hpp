// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds signatures, the bytes by which file systems, RAID members, partition tables and the like are
// recognized, and determines which ones on a target are left over from before the image.
//
// An image leaves out the unused parts of its file systems, and signatures of the target's earlier contents
// survive there: a RAID superblock at the end of the disk, or the second copy of something whose first one
// was at the start. The kernel, udev and mount then see both, or the wrong one.
// The image decides. Signatures inside its extents are its own. A signature wholly outside them is left over
// if a signature of the image claims the same area (the whole disk, or a partition). In an area without a
// signature of the image nothing counts as left over: a torrent of a few extents leaves the rest of the disk
// alone.
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
    std::string type; // libblkid's name
    Extent magic{};   // its bytes on the device
    bool is_table = false;
    bool operator==(const Signature&) const = default;
};

// A part of the device that can have contents: the whole, a partition, or a logical volume.
struct SignatureArea {
    Extent extent{};
    std::vector<Signature> found;
    Recognition recognition{}; // of the whole area
    std::string volume{};      // the name of a logical volume; otherwise empty
};

// All signatures that libblkid finds in `area` of the open device or file, with all copies of each, in the
// order of discovery. `sector_bytes` as for recognize. Empty if it cannot be read. Any thread.
[[nodiscard]] std::optional<std::vector<Signature>> find_signatures(int fd, const Extent& area,
                                                                    std::uint64_t sector_bytes);

// The areas to search, each with its signatures: the whole device of `size` bytes; the partitions, if their
// table lies in `used` (in device order, not overlapping); and those of `volumes` in one piece whose physical
// volume has its signature in `used`. Empty if it cannot be read. Any thread.
[[nodiscard]] std::optional<std::vector<SignatureArea>> search_areas(int fd, std::uint64_t size,
                                                                     std::uint64_t sector_bytes,
                                                                     std::span<const Extent> used,
                                                                     std::span<const VolumeUse> volumes = {});

// The signatures in `areas` (from search_areas) that are left over from before the image, in device order and
// without duplicates.
[[nodiscard]] std::vector<Signature> stale_signatures(std::span<const SignatureArea> areas,
                                                      std::span<const Extent> used);

// What hides the image: a sentence for each area in which libblkid is unsure, or recognizes something other
// than the image's contents. `noted` is the torrent's note about its source. `device` is for the sentences.
[[nodiscard]] std::vector<std::string> hidden_areas(const std::string& device,
                                                    std::span<const SignatureArea> areas,
                                                    std::span<const Extent> used,
                                                    const std::optional<DiskIdentity>& noted);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which parts of the LVM2 physical volumes on a disk an image carries: the metadata areas with everything
// before the first extent, the used part of each logical volume, and what follows the last extent. Extents of
// no logical volume are left out.
//
// The used blocks of a logical volume are found only if its bytes can be read in order: it is linear, all of
// it is on this disk, and it is active (the kernel has a device for it) or in one piece (readable through a
// loop device). Every byte is carried of all others: parts of thin pools, snapshots, RAIDs and caches, and
// volumes that are partly on another disk.
//
// Nothing is activated, changed or locked.
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/image/volume_use.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/source/file_system_extents.hpp"
#include "ezio/source/source_disk.hpp"
#include "ezio/source/steady_bytes.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ezio {

// The contents of a logical volume, and which of its bytes are carried.
struct VolumeContents {
    std::string type; // libblkid's name
    std::vector<Extent> extents;
};

// `volume` is the logical volume as a device; `area` covers all of it.
using LookIntoVolume = std::function<VolumeContents(const SourceDisk& volume, const Area& area)>;

struct PhysicalVolumeExtents {
    std::vector<Extent> extents; // to carry; bytes from the start of the physical volume, in order
    std::string flaw;            // why they cannot be determined; empty: they are
};

struct LvmExtents {
    std::vector<PhysicalVolumeExtents> physical; // parallel to the areas
    std::vector<VolumeUse> volumes;
    std::vector<SteadyBytes> metadata; // to compare at the end: bytes from the start of the disk
};

// The extents of `areas` of the disk, each a physical volume. All are examined together, because a volume
// group can span several. `memory` and `tick` as in run_process. Reports what is carried in an unexpected
// way. Throws what `look_into` throws, and Error (ExitStatus::io).
[[nodiscard]] LvmExtents lvm_extents(const SourceDisk& disk, const std::vector<Area>& areas,
                                     std::uint64_t memory, Reporter& reporter,
                                     const LookIntoVolume& look_into, const std::function<void()>& tick);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// What of the physical volumes of LVM2 on a disk goes into an image: the metadata areas with all that is in
// front of the first extent, of each logical volume what is used of it, and what is behind the last extent.
// Extents that no logical volume has are left out.
//
// A logical volume is looked into where its bytes can be read in order: it is linear, all of it is on this
// disk, and it is active (the kernel has a device for it) or in one piece (a loop device shows that). Every
// byte is taken of all others: of parts of thin pools, snapshots, RAIDs and caches, and of what is partly
// elsewhere.
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

// What is on a logical volume, and which of its bytes are carried.
struct VolumeContents {
    std::string type; // as libblkid calls it
    std::vector<Extent> extents;
};

// `volume` is the logical volume as a device of its own, all of which is `area`.
using LookIntoVolume = std::function<VolumeContents(const SourceDisk& volume, const Area& area)>;

struct PhysicalVolumeExtents {
    std::vector<Extent> extents; // to carry; bytes from the start of the physical volume, in order
    std::string flaw;            // why that cannot be told; empty: it can
};

struct LvmExtents {
    std::vector<PhysicalVolumeExtents> physical; // parallel to the areas
    std::vector<VolumeUse> volumes;
    std::vector<SteadyBytes> metadata; // for the end: bytes from the start of the disk
};

// Of `areas` of the disk, each a physical volume. They are looked at together: a volume group may have
// several of them. `memory` and `tick` as in run_process. Tells the reporter what is carried in another way
// than one may think. Throws what `look_into` throws, and Error (ExitStatus::io).
[[nodiscard]] LvmExtents lvm_extents(const SourceDisk& disk, const std::vector<Area>& areas,
                                     std::uint64_t memory, Reporter& reporter,
                                     const LookIntoVolume& look_into, const std::function<void()>& tick);

} // namespace ezio

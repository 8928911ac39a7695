// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which parts of a source an image carries: the used blocks of one file system; those of all file systems on
// a whole disk, with its partition table; those in logical volumes; the files of a directory; or what the
// user chose. Never everything unless requested.
#pragma once

#include "ezio/image/disk_identity.hpp"
#include "ezio/image/extent_map.hpp"
#include "ezio/image/volume_use.hpp"
#include "ezio/process/stop_signal.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/source/source_options.hpp"
#include "ezio/source/steady_bytes.hpp"
#include "ezio/util/fd.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ezio {

struct ImageSource {
    std::vector<Extent> extents;            // to hash, in this order
    std::vector<std::string> names;         // file names, parallel; empty if the extents are not files
    std::optional<DiskIdentity> identity{}; // of the disk, if the image is of the whole disk
    Fd fd;                                  // the device or image file of the extents; empty for a directory
    std::uint64_t sector_bytes = 0;         // the disk's, if it has a partition table; otherwise 0
    std::vector<VolumeUse> volumes{};       // LVM2 volumes on it
    std::vector<SteadyBytes> metadata{};    // locates the extents: must be unchanged after hashing
};

// Finds the extents of the device or image file options.source. Reports what is carried in an unexpected way.
// Throws Error: ExitStatus::target, with a remedy, when it cannot be read as it is; and what
// StopSignal::throw_if_received() throws.
[[nodiscard]] ImageSource find_extents(const SourceOptions& options, Reporter& reporter, StopSignal& stop);

// The files of a directory that are named by offsets, in order; other files are left out.
// Throws Error (ExitStatus::target): there are none, or the directory cannot be read.
[[nodiscard]] ImageSource find_files(const SourceOptions& options, Reporter& reporter);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// What of a source goes into an image: the used blocks of a file system, those of all file systems on a whole
// disk with its partition table, of those in logical volumes, the files of a directory, or what the user
// says. Never everything unless told so.
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
    std::vector<Extent> extents;            // to be hashed, in this order
    std::vector<std::string> names;         // of their files, parallel; empty where they are no files
    std::optional<DiskIdentity> identity{}; // of the disk, when the image is of all that it is
    Fd fd; // of the device or image file that they were found on; of a directory none
    std::uint64_t sector_bytes = 0;   // of the disk, when it has a partition table: what that counts in; or 0
    std::vector<VolumeUse> volumes{}; // of LVM2 on it
    std::vector<SteadyBytes> metadata{}; // what the extents were found by: to be the same once it is hashed
};

// Looks at the device or image file options.source and finds out. Says to the reporter what is carried in
// another way than one may think. Throws Error: ExitStatus::target when it is not to be read as it is, with
// what to do about it; as StopSignal::throw_if_received() does.
[[nodiscard]] ImageSource find_extents(const SourceOptions& options, Reporter& reporter, StopSignal& stop);

// The files of a directory that are named by offsets, in order; what else is in it is left out.
// Throws Error (ExitStatus::target): there are none, or it cannot be read.
[[nodiscard]] ImageSource find_files(const SourceOptions& options, Reporter& reporter);

} // namespace ezio

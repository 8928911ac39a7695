// SPDX-License-Identifier: GPL-2.0-or-later
//
// What of a file system, and of the device or partition that it is on, goes into an image: its used blocks,
// as partclone finds them; its last 4 KiB; and the rest of the partition behind it. Nothing says that this is
// free: the hash tree of dm-verity lies there, Android's footers, whatever a vendor appends.
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/source/source_options.hpp"
#include "ezio/util/units.hpp"
#include "source_disk.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace ezio {

// Of a larger rest only both ends are carried, with a warning: it is mostly what a file system was shrunk by.
// The hash tree of a dm-verity with blocks of 4 KiB and SHA-256 has 1/127 of its file system: 1 GiB is that
// of one of 127 GiB, and 9 s of a link of 1 Gbit/s.
inline constexpr std::uint64_t largest_whole_rest = 1_GiB;

// A part of a source that is looked at by itself: all of it, or a partition.
struct Area {
    std::string path;         // for messages
    std::uint64_t offset = 0; // bytes from the start of the source
    std::uint64_t size = 0;   // bytes
    dev_t partition = 0;      // the number of its device, which `path` is; 0: it has none, or is all of it
};

// The extents to carry of an area with a file system of this type, which partclone_program knows; relative to
// the area, in order, touching ones merged. `tick` is called several times a second, and what it throws ends
// it. Tells the reporter how much is used, and what is carried in another way.
// Throws Error: ExitStatus::target when there is no map of used blocks to be trusted, with what to do;
// ExitStatus::io.
[[nodiscard]] std::vector<Extent> file_system_extents(const SourceDisk& disk, const Area& area,
                                                      const std::string& type, const SourceOptions& options,
                                                      Reporter& reporter, const std::function<void()>& tick);

// What is carried of an area behind its first `end` bytes, which hold what is known; relative to the area.
// Warns when that is not all. Nothing when `end` is not within it.
[[nodiscard]] std::vector<Extent> carried_rest(const Area& area, std::uint64_t end, Reporter& reporter);

// Every byte of the area, and a warning that it is: `what` it is "(no file system known)".
[[nodiscard]] std::vector<Extent> every_byte(const Area& area, const std::string& what, Reporter& reporter);

} // namespace ezio

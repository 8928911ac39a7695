// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which parts of a file system, and of its device or partition, an image carries: the used blocks that
// partclone finds, the last 4 KiB, and the rest of the partition after the file system. That rest can be in
// use: by the hash tree of dm-verity, Android's footers, or anything a vendor appends.
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

// Of a larger rest only both ends are carried, with a warning: usually the file system was shrunk by that
// much. The hash tree of a dm-verity with blocks of 4 KiB and SHA-256 takes 1/127 of its file system: 1 GiB
// belongs to a file system of 127 GiB, and takes 9 s on a link of 1 Gbit/s.
inline constexpr std::uint64_t largest_whole_rest = 1_GiB;

// A part of a source that is examined on its own: all of it, or a partition.
struct Area {
    std::string path;         // for messages
    std::uint64_t offset = 0; // bytes from the start of the source
    std::uint64_t size = 0;   // bytes
    dev_t partition = 0;      // the number of its device, which `path` is; 0: it has none, or is all of it
};

// The extents to carry of an area with a file system of this type, which must be known to partclone_program.
// They are relative to the area and in order, with adjacent ones merged. `tick` is called several times a
// second and may throw to stop. Reports how much is used, and what is carried in another way.
// Throws Error: ExitStatus::target, with a remedy, when there is no trustworthy map of used blocks;
// ExitStatus::io.
[[nodiscard]] std::vector<Extent> file_system_extents(const SourceDisk& disk, const Area& area,
                                                      const std::string& type, const SourceOptions& options,
                                                      Reporter& reporter, const std::function<void()>& tick);

// The carried parts of an area after its first `end` bytes, the known contents; relative to the area.
// Warns if that is not all. Empty when `end` is not within the area.
[[nodiscard]] std::vector<Extent> carried_rest(const Area& area, std::uint64_t end, Reporter& reporter);

// Every byte of the area. Warns about it, with `what` it contains, such as "no file system known".
[[nodiscard]] std::vector<Extent> every_byte(const Area& area, const std::string& what, Reporter& reporter);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds the used blocks of a file system with partclone. `partclone.<fs> -D` reads the file system's maps,
// not its data, and prints a map of used and free blocks. It exits with 0 after some errors, so its output is
// checked: a map that does not cover the file system from its first to its last byte is refused, and so is
// one that comes with complaints about the file system.
//
// partclone gets an open descriptor, as a path below /proc. So the map describes exactly the device that is
// examined and hashed here, even if names change meanwhile. The programs for ext, XFS, btrfs, NTFS, FAT,
// exFAT, F2FS and Minix accept this, for devices and files.
#pragma once

#include "ddrescue_map.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

// The program for a file system of this type (libblkid's name): "partclone.ext4". Empty if partclone has
// none.
[[nodiscard]] std::string partclone_program(std::string_view type);

// Whether the program for this type, one that partclone_program knows, is missing although partclone is
// installed, or would be missing from Debian's partclone.
[[nodiscard]] bool lacks_program_for(std::string_view type,
                                     const std::function<bool(const std::string&)>& is_installed);

struct PartcloneRequest {
    std::string path;         // the device or image file, for messages
    int fd = -1;              // the same, open
    std::uint64_t size = 0;   // its bytes
    std::string type;         // of the file system, one that partclone knows
    bool force = false;       // even if it is mounted or not clean
    bool mounted = false;     // read-only, which is not a reason to refuse it
    std::uint64_t memory = 0; // for the map's text
};

// The map of the whole file system. `tick` as in run_process. Throws Error (ExitStatus::target): partclone is
// not installed, it refuses the file system (with its reason), or its map is implausible.
[[nodiscard]] DdrescueMap used_blocks(const PartcloneRequest& request, const std::function<void()>& tick);

// The version of the program for this type: "0.3.23", or "unknown". `tick` as above.
[[nodiscard]] std::string partclone_version(const std::string& type, const std::function<void()>& tick);

// Whether a partclone of this version counts XFS blocks in 64 bits. Before 0.3.40 it uses 32, and takes used
// blocks for free if there are more.
[[nodiscard]] bool counts_in_64_bits(const std::string& version);

// The extents to carry for this map: the used blocks, and always the last 4 KiB. In order, adjacent ones
// merged.
[[nodiscard]] std::vector<Extent> carried_blocks(const DdrescueMap& map);

// What is wrong with a map that partclone printed for a device of `device_size` bytes; empty: nothing.
[[nodiscard]] std::string flaw_of(const DdrescueMap& map, std::uint64_t device_size);

// The last lines of partclone's standard error that explain a failure.
[[nodiscard]] std::string reason_in(std::string_view errors);

// The first line in which partclone complained about the file system although it continued; empty: none. It
// continues with some btrfs, and with all file systems when forced, as is necessary for a mounted one.
[[nodiscard]] std::string complaint_in(std::string_view errors);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// The used blocks of a file system, as partclone tells them: `partclone.<fs> -D` reads the file system's own
// maps, not its data, and prints a map of used and free blocks. It is known to exit with 0 after some errors,
// so what it printed is looked at: a map that does not cover the file system from its first to its last byte
// is not believed, nor one beside which it complained of the file system.
//
// It is given an open descriptor, and its path below /proc, for a path of the device: so that what the map is
// of is what is looked at and hashed here, whatever becomes of names meanwhile. The programs for ext, XFS,
// btrfs, NTFS, FAT, exFAT, F2FS and Minix take it, for devices and files.
#pragma once

#include "ddrescue_map.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

// The program for a file system of this type, as libblkid names it: "partclone.ext4". Empty where partclone
// has none.
[[nodiscard]] std::string partclone_program(std::string_view type);

// Whether there is no program for this type, of those that partclone_program knows, although partclone is
// installed, or that would be without it as Debian packages it.
[[nodiscard]] bool lacks_program_for(std::string_view type,
                                     const std::function<bool(const std::string&)>& is_installed);

struct PartcloneRequest {
    std::string path;         // the device or image file, for messages
    int fd = -1;              // the same, open
    std::uint64_t size = 0;   // its bytes
    std::string type;         // of the file system, one that partclone knows
    bool force = false;       // also where it is mounted, or was not left in order
    bool mounted = false;     // read-only, which is no reason to refuse it
    std::uint64_t memory = 0; // for the map's text
};

// The map of all of the file system. `tick` as in run_process. Throws Error (ExitStatus::target): partclone
// is not installed, it refuses the file system (with what it says), or its map is not to be believed.
[[nodiscard]] DdrescueMap used_blocks(const PartcloneRequest& request, const std::function<void()>& tick);

// The version of the program for this type: "0.3.23"; "unknown" when it does not say. `tick` as above.
[[nodiscard]] std::string partclone_version(const std::string& type, const std::function<void()>& tick);

// Whether a partclone of this version counts the blocks of XFS in 64 bits: those before 0.3.40 do it in 32,
// and take used ones for free where there are more.
[[nodiscard]] bool counts_in_64_bits(const std::string& version);

// What is carried of a file system with this map: its used blocks, and its last 4 KiB in any case. In order,
// touching extents merged.
[[nodiscard]] std::vector<Extent> carried_blocks(const DdrescueMap& map);

// Empty, or what is wrong with a map that partclone printed for a device of `device_size` bytes.
[[nodiscard]] std::string flaw_of(const DdrescueMap& map, std::uint64_t device_size);

// The last lines of what partclone printed on standard error that tell what went wrong.
[[nodiscard]] std::string reason_in(std::string_view errors);

// What partclone printed there of flaws in the file system, although it went on: the first such line. It does
// so with some of btrfs, and with all once it is forced, which a mounted one needs. Empty: nothing.
[[nodiscard]] std::string complaint_in(std::string_view errors);

} // namespace ezio

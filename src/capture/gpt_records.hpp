// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where the headers and entries of a GPT are on a source: the main header in the second sector, its copy in
// the last, and the entries that each has. These may be anywhere: boards whose boot loader begins in the
// third sector have theirs behind it (sgdisk -j).
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/source/source_disk.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ezio {

// The bytes of all headers and entries: those of the main header, of the copy that it names, and of the one
// in the last sector. What is none is left out: it is not for us to mend. `sector` is in bytes. Throws Error
// (ExitStatus::io).
[[nodiscard]] std::vector<Extent> gpt_records(const SourceDisk& disk, std::uint64_t sector);

// What is wrong with the GPT of a disk on which no partition table is to be found, and what to do, as a
// sentence; empty where there is nothing of a GPT. `sector` as above, of the disk. Throws Error
// (ExitStatus::io).
[[nodiscard]] std::string gpt_fault(const SourceDisk& disk, std::uint64_t sector);

} // namespace ezio

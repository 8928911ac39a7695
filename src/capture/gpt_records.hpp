// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds the headers and entries of a GPT on a source: the main header in the second sector, its copy in the
// last, and the entries of each. The entries can be anywhere: boards whose boot loader begins in the third
// sector have them after it (sgdisk -j).
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/source/source_disk.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ezio {

// The bytes of all headers and entries: of the main header, of the copy that it names, and of the one in the
// last sector. Invalid ones are left out: repairing them is not our task. `sector` is in bytes. Throws Error
// (ExitStatus::io).
[[nodiscard]] std::vector<Extent> gpt_records(const SourceDisk& disk, std::uint64_t sector);

// For a disk without a recognized partition table: what is wrong with its GPT, and the remedy, as a sentence;
// empty if there is no trace of a GPT. `sector` is the disk's, as above. Throws Error (ExitStatus::io).
[[nodiscard]] std::string gpt_fault(const SourceDisk& disk, std::uint64_t sector);

} // namespace ezio

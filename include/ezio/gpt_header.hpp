// SPDX-License-Identifier: GPL-2.0-or-later
//
// Headers of a GPT: the main one in the second sector, its copy in the last, and where the entries are that
// each has. These may be anywhere: boards whose boot loader begins in the third sector have theirs behind it
// (sgdisk -j).
#pragma once

#include "ezio/extent_map.hpp"
#include "ezio/source_disk.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ezio {

// In sectors, unless said otherwise; taken from the disk as they are.
struct GptHeader {
    std::uint64_t other = 0; // where the other header is
    std::uint64_t last_usable = 0;
    std::uint64_t entries = 0; // where they begin
    std::uint64_t count = 0;   // of entries
    std::uint64_t entry_bytes = 0;
};

// The header in that sector; `sector` is in bytes. Empty where none is, also behind the end of the disk.
// Throws Error (ExitStatus::io).
[[nodiscard]] std::optional<GptHeader> gpt_header_at(const SourceDisk& disk, std::uint64_t number,
                                                     std::uint64_t sector);

// The bytes of a header's entries. Empty when they are not on the disk, or too many to be.
[[nodiscard]] std::optional<Extent> gpt_entries(const SourceDisk& disk, const GptHeader& header,
                                                std::uint64_t sector);

// The bytes of all headers and entries: those of the main header, of the copy that it names, and of the one
// in the last sector. What is none is left out: it is not for us to mend. Throws Error (ExitStatus::io).
[[nodiscard]] std::vector<Extent> gpt_records(const SourceDisk& disk, std::uint64_t sector);

// What is wrong with the GPT of a disk on which no partition table is to be found, and what to do, as a
// sentence; empty where there is nothing of a GPT. `sector` as above, of the disk. Throws Error
// (ExitStatus::io).
[[nodiscard]] std::string gpt_fault(const SourceDisk& disk, std::uint64_t sector);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Parses the sectors of a GPT, and plans the writes that move its copy. On a disk larger than the original
// the copy is not at the end, where firmware and tools look for it, and the table cannot use the space after
// it. Performs no I/O, and changes no partition.
//
// The copy is written first (entries, then their header, in the disk's last sectors), then the header at the
// start, which points to the copy, then the protective MBR. A power failure in between leaves a valid table:
// the old one or the new one.
#pragma once

#include "ezio/image/extent_map.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ezio {

inline constexpr std::uint64_t main_gpt_header = 1;    // its sector
inline constexpr std::size_t smallest_gpt_entry = 128; // bytes

// As on disk; in sectors, unless stated otherwise.
struct GptHeader {
    std::uint64_t size = 0; // bytes, of the header
    std::uint64_t crc = 0;  // of the header
    std::uint64_t own_place = 0;
    std::uint64_t place_of_copy = 0;
    std::uint64_t first_usable = 0;
    std::uint64_t last_usable = 0;
    std::uint64_t entries_at = 0;
    std::uint64_t entry_count = 0;
    std::uint64_t entry_bytes = 0;
    std::uint64_t entries_crc = 0;

    [[nodiscard]] std::uint64_t entries_bytes() const { return entry_count * entry_bytes; }
};

// Parses a sector; empty if it contains no header.
[[nodiscard]] std::optional<GptHeader> parse_gpt_header(std::span<const std::byte> sector);

// The bytes of the sectors with the entries. Empty if they are beyond a disk of `size` bytes, or implausibly
// many.
[[nodiscard]] std::optional<Extent> gpt_entries(const GptHeader& header, std::uint64_t size,
                                                std::uint64_t sector_bytes);

// Whether the sector is the protective MBR of a GPT.
[[nodiscard]] bool has_protective_mbr(std::span<const std::byte> mbr);

struct GptPlan {
    enum class Outcome {
        none,       // there is no GPT
        damaged,    // its first header, entries or MBR are invalid; `reason` says how
        at_the_end, // nothing to do
        movable,    // `writes` moves the copy
        unreadable,
    };
    struct Write {
        std::uint64_t offset; // bytes from the start of the disk
        std::vector<std::byte> bytes;
    };

    Outcome outcome = Outcome::none;
    std::string reason{};
    std::vector<Write> writes{}; // in this order
};

// Returns these bytes of the disk; empty if they cannot be read.
using DiskReader = std::function<std::optional<std::vector<std::byte>>(const Extent&)>;

// The writes after which the GPT of a disk of `size` bytes, with sectors of `sector_bytes`, extends to its
// end.
[[nodiscard]] GptPlan plan_gpt_move(const DiskReader& read, std::uint64_t size, std::uint64_t sector_bytes);

} // namespace ezio

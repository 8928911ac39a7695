// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the sectors of a GPT say, and what has to be written to move its copy. On a disk that is larger than
// the one that it was made for the copy is not at the end, where firmware and tools look for it, and the
// space behind is out of its reach. No I/O of its own, and no change of what a partition is.
//
// The copy goes first (entries, then their header, in the disk's last sectors), then the header at the start,
// which points at it and reaches up to it, then the MBR that keeps others off. Power that fails in between
// leaves a table that is right: the old one, or the new one.
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

inline constexpr std::uint64_t main_gpt_header = 1;    // the sector that it is in
inline constexpr std::size_t smallest_gpt_entry = 128; // bytes

// As it stands on a disk; in sectors, unless said otherwise.
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

// Of a sector; empty when there is no header in it.
[[nodiscard]] std::optional<GptHeader> parse_gpt_header(std::span<const std::byte> sector);

// The bytes of the sectors with the entries. Empty when they are not on a disk of `size` bytes, or too many
// to be.
[[nodiscard]] std::optional<Extent> gpt_entries(const GptHeader& header, std::uint64_t size,
                                                std::uint64_t sector_bytes);

// Whether the sector is an MBR that keeps others off a GPT.
[[nodiscard]] bool has_protective_mbr(std::span<const std::byte> mbr);

struct GptPlan {
    enum class Outcome {
        none,       // there is no GPT
        damaged,    // its first header, entries or MBR are not in order; `reason` says what
        at_the_end, // nothing to do
        movable,    // `writes` does it
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

// The bytes of that part of the disk; empty when it cannot be read.
using DiskReader = std::function<std::optional<std::vector<std::byte>>(const Extent&)>;

// What to write to a disk of `size` bytes, in sectors of `sector_bytes`, so that its GPT ends with it.
[[nodiscard]] GptPlan plan_gpt_move(const DiskReader& read, std::uint64_t size, std::uint64_t sector_bytes);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// A GPT on a disk that is larger than the one it was made for: its copy is not at the end, where firmware and
// tools look for it, and the space behind is out of its reach. What has to be written to move the copy there.
// No I/O of its own, and no change of what a partition is.
//
// The copy goes first (entries, then their header, in the disk's last sectors), then the header at the start,
// which points at it and reaches up to it, then the MBR that keeps others off. Power that fails in between
// leaves a table that is right: the old one, or the new one.
#pragma once

#include "ezio/extent_map.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ezio {

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

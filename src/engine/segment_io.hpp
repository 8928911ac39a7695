// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a job of the disk engine does with the target: it hashes, reads or writes segments of the payload.
// Stateless; the engine's workers call it without the engine's mutex. Each function stops at the first
// failure.
#pragma once

#include "ezio/engine/piece_cache.hpp"
#include "ezio/target/target.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace ezio {

// In bytes of the payload; in bytes of the device, which has no padding.
[[nodiscard]] std::uint64_t total_length(const std::vector<Segment>& segments);
[[nodiscard]] std::uint64_t device_bytes(const ExtentMap& map, const std::vector<Segment>& segments);

// Those that have to be read from the target.
[[nodiscard]] std::vector<Segment> not_in_memory(const std::vector<Segment>& segments);

// Passes the bytes to `hash` in order; reads what is not in memory step by step.
[[nodiscard]] std::optional<IoFailure>
hash_segments(const ExtentMap& map, Target& target, const std::vector<Segment>& segments,
              const std::function<void(std::span<const std::byte>)>& hash);

// Fills the segments' memory from the target, and with zeros where they are padding.
[[nodiscard]] std::optional<IoFailure> read_segments(const ExtentMap& map, Target& target,
                                                     const std::vector<Segment>& segments);

// Writes them, and has the kernel begin to write them back, so that the last sync finds little left to do.
[[nodiscard]] std::optional<IoFailure> write_segments(const ExtentMap& map, Target& target,
                                                      const std::vector<Segment>& segments);

} // namespace ezio

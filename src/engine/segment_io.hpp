// SPDX-License-Identifier: GPL-2.0-or-later
//
// The target I/O of the disk engine's jobs: hashes, reads or writes segments of the payload.
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

// In bytes: with padding; without.
[[nodiscard]] std::uint64_t total_length(const std::vector<Segment>& segments);
[[nodiscard]] std::uint64_t data_length(const ExtentMap& map, const std::vector<Segment>& segments);

// The segments that have to be read from the target.
[[nodiscard]] std::vector<Segment> not_in_memory(const std::vector<Segment>& segments);

// Feeds the bytes to `hash` in order; reads segments that are not in memory step by step.
[[nodiscard]] std::optional<IoFailure>
hash_segments(const ExtentMap& map, Target& target, const std::vector<Segment>& segments,
              const std::function<void(std::span<const std::byte>)>& hash);

// Reads the segments from the target into their memory, with zeros for padding.
[[nodiscard]] std::optional<IoFailure> read_segments(const ExtentMap& map, Target& target,
                                                     const std::vector<Segment>& segments);

// Puts the segments one after the other into `memory`: copies of those in memory, the others read.
[[nodiscard]] std::optional<IoFailure> gather_segments(const ExtentMap& map, Target& target,
                                                       const std::vector<Segment>& segments,
                                                       std::byte* memory);

// Writes them and starts write-back, so that little is left for the last sync.
[[nodiscard]] std::optional<IoFailure> write_segments(const ExtentMap& map, Target& target,
                                                      const std::vector<Segment>& segments);

} // namespace ezio

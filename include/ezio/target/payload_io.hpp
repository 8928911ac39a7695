// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/target/target.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace ezio {

// Reads the payload from `offset` into `data`: from the target, with zeros for padding.
[[nodiscard]] std::optional<IoFailure> read_payload(const ExtentMap& map, Target& target,
                                                    std::uint64_t offset, std::span<std::byte> data);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/target/target.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace ezio {

// Fills `data` with the payload from `offset` on: from the target, and with zeros where it is padding.
[[nodiscard]] std::optional<IoFailure> read_payload(const ExtentMap& map, Target& target,
                                                    std::uint64_t offset, std::span<std::byte> data);

} // namespace ezio

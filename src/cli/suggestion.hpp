// SPDX-License-Identifier: GPL-2.0-or-later
//
// Suggestions for mistyped words.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

// The number of characters to insert, delete, change, or swap with their neighbour.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `words` to `word`, the first of several; none if all are too different. A word that begins
// with `word` is always near enough.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 const std::vector<std::string>& words);

} // namespace ezio

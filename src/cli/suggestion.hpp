// SPDX-License-Identifier: GPL-2.0-or-later
//
// What somebody who mistyped a word meant.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

// How many characters have to be inserted, deleted, changed or swapped with their neighbour.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The one of `words` that is nearest to `word`, the first of several; none when all are too different to be
// meant. A word that goes on where `word` ends is always near enough.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 const std::vector<std::string>& words);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "suggestion.hpp"

#include <algorithm>

namespace ezio {

// Computes the table of distances between prefixes of `a` and `b` row by row; a swap looks back two rows.
std::size_t edit_distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> before_last;
    std::vector<std::size_t> last(b.size() + 1);
    for (std::size_t column = 0; column <= b.size(); ++column) {
        last[column] = column;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::vector<std::size_t> row(b.size() + 1, i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({changed, last[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        before_last = std::move(last);
        last = std::move(row);
    }
    return last.back();
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& words)
{
    constexpr std::size_t shortest_beginning = 3;
    const std::size_t tolerated = std::max<std::size_t>(1, word.size() / 3);
    std::optional<std::string> best;
    std::size_t least = tolerated + 1;
    for (const std::string& candidate : words) {
        const bool goes_on = word.size() >= shortest_beginning && candidate.starts_with(word);
        const std::size_t distance = goes_on ? 0 : edit_distance(word, candidate);
        if (distance < least) {
            least = distance;
            best = candidate;
        }
    }
    return best;
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// The clients of a seeder as a table: pure functions from a list and a size to lines of text.
//
// While serving, the table is redrawn on a terminal. It is calm: a column is as wide as its longest text.
// Failed clients come first, then those with the least, in steps of 5 %, so that two equally fast clients do
// not keep changing places. A narrow table loses columns from the right, then the bar.
#pragma once

#include "ezio/report/client_status.hpp"
#include "progress_line.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace ezio {

struct TableLine {
    enum class Emphasis { none, good, bad };
    std::string text; // printable
    Emphasis emphasis = Emphasis::none;
};

// Whether a terminal of this size has room for the table and a progress line.
[[nodiscard]] bool has_room_for_table(std::size_t columns, std::size_t rows);

// At most `columns` columns and `rows` - 3 lines: a heading, a line for each client, and a line that counts
// the clients that do not fit.
[[nodiscard]] std::vector<TableLine> client_table(const ClientList& clients, std::size_t columns,
                                                  std::size_t rows, Glyphs glyphs);

// The final list of results, failed clients first. As wide as necessary; empty if there are no clients.
[[nodiscard]] std::vector<std::string> client_results(const ClientList& clients);

} // namespace ezio

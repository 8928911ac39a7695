// SPDX-License-Identifier: GPL-2.0-or-later
//
// The one place that knows about terminals: whether there is one, how wide it is, how a line is redrawn.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

namespace ezio {

class LinePrinter {
  public:
    // Writes to `stream`, which stays the caller's.
    explicit LinePrinter(std::FILE* stream);

    // Whether lines can be redrawn: a terminal that is not dumb.
    [[nodiscard]] bool is_smart() const { return m_smart; }

    // Columns, asked anew each time since windows are resized; 80 when unknown.
    [[nodiscard]] std::size_t width() const;

    // A line that stays.
    void print(const std::string& line);

    // A line that the next one takes the place of. On a smart terminal only.
    void redraw(const std::string& line);

  private:
    void clear();

    std::FILE* m_stream;
    bool m_smart;
    bool m_drawn = false; // the cursor is behind a redrawn line
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// The one place that knows about terminals: whether there is one, how wide it is, what it can show, how a
// line is redrawn. What it is given to print is printed as it is.
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

    // Whether the locale is UTF-8, and the terminal none whose font has only a few characters (a console).
    [[nodiscard]] bool has_unicode() const { return m_unicode; }

    // Columns, asked anew each time since windows are resized; 80 when unknown.
    [[nodiscard]] std::size_t width() const;

    // A line that stays.
    void print(const std::string& line);

    // A line of so many columns, which the next one takes the place of. On a smart terminal only.
    void redraw(const std::string& line, std::size_t columns);

    // Takes a redrawn line away.
    void clear();

  private:
    [[nodiscard]] std::string to_line_begin() const;
    void write(const std::string& text);

    std::FILE* m_stream;
    bool m_smart;
    bool m_unicode;
    std::size_t m_drawn_columns = 0; // of the line that the cursor stands behind
};

} // namespace ezio

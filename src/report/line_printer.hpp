// SPDX-License-Identifier: GPL-2.0-or-later
//
// The one place that knows about terminals: whether there is one, how wide it is, what it can show, how a
// line is redrawn. What it is given to print is printed as it is.
//
// It never waits for who reads: a terminal that was stopped, a pipe that is full. Lines wait until there is
// room; redrawn lines are left out meanwhile, and so are lines beyond `waiting_allowed`.
#pragma once

#include "ezio/util/clock.hpp"
#include "ezio/util/fd.hpp"

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace ezio {

class LinePrinter {
  public:
    static constexpr std::size_t waiting_allowed = std::size_t{1} << 20; // bytes
    static constexpr std::chrono::milliseconds last_wait{2000};

    // Writes to `stream`, which stays the caller's, past its buffer.
    explicit LinePrinter(std::FILE* stream);

    ~LinePrinter(); // finishes
    LinePrinter(const LinePrinter&) = delete;
    LinePrinter& operator=(const LinePrinter&) = delete;

    // Whether lines can be redrawn: a terminal that is not dumb.
    [[nodiscard]] bool is_smart() const { return m_smart; }

    // Whether the locale is UTF-8, and the terminal none whose font has only a few characters (a console).
    [[nodiscard]] bool has_unicode() const { return m_unicode; }

    // Columns and rows, asked anew each time since windows are resized; 80 and 24 when unknown.
    [[nodiscard]] std::size_t width() const;
    [[nodiscard]] std::size_t height() const;

    // A line that stays.
    void print(const std::string& line);

    // Lines, one below the other, which the next ones take the place of: fewer than there are rows, and
    // narrower than the terminal. On a smart terminal only.
    struct Line {
        std::string text;
        std::size_t columns; // without those of escape sequences
    };
    void redraw(const std::vector<Line>& lines);

    // Takes redrawn lines away.
    void clear();

    // Writes what waits, as far as there is room. True: nothing waits any more.
    bool flush();

    // Bytes that wait for who reads.
    [[nodiscard]] std::size_t waiting() const { return m_waiting.size(); }

    // Waits for who reads, for `last_wait` at most. True: nothing waits any more.
    bool finish();

  private:
    [[nodiscard]] std::string to_first_line() const;
    [[nodiscard]] ssize_t write_some(std::string_view text) const;
    void write(const std::string& text);

    int m_fd; // the stream's
    bool m_smart;
    bool m_unicode;
    Fd m_own; // the same terminal or pipe, opened for writes that do not wait
    std::string m_waiting;
    std::vector<std::size_t> m_drawn; // columns of the lines, the last of which the cursor stands behind
};

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// The only module that knows terminals: whether there is one, its width, its characters, and how a line is
// redrawn. It prints its input unchanged.
//
// It never blocks on the reader (a stopped terminal, a full pipe). Lines wait until there is room. Redrawn
// lines are dropped meanwhile, and so are lines beyond `waiting_allowed`.
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

    // Writes to `stream`, bypassing its buffer. The caller keeps the stream.
    explicit LinePrinter(std::FILE* stream);

    ~LinePrinter(); // finishes
    LinePrinter(const LinePrinter&) = delete;
    LinePrinter& operator=(const LinePrinter&) = delete;

    // Whether lines can be redrawn: on a terminal that is not dumb.
    [[nodiscard]] bool is_smart() const { return m_smart; }

    // Whether the locale is UTF-8 and the terminal can show more than a few characters (a console cannot).
    [[nodiscard]] bool has_unicode() const { return m_unicode; }

    // Columns and rows, queried each time because windows are resized; 80 and 24 if unknown.
    [[nodiscard]] std::size_t width() const;
    [[nodiscard]] std::size_t height() const;

    // Prints a line that stays.
    void print(const std::string& line);

    // Prints lines one below the other, which the next ones replace: fewer than the terminal has rows, each
    // narrower than the terminal. Only on a smart terminal.
    struct Line {
        std::string text;
        std::size_t columns; // without those of escape sequences
    };
    void redraw(const std::vector<Line>& lines);

    // Removes the redrawn lines.
    void clear();

    // Writes waiting lines as far as there is room. Returns whether all are written.
    bool flush();

    // Bytes that wait for the reader.
    [[nodiscard]] std::size_t waiting() const { return m_waiting.size(); }

    // Waits for the reader, for at most `last_wait`. Returns whether all is written.
    bool finish();

  private:
    [[nodiscard]] std::string to_first_line() const;
    [[nodiscard]] ssize_t write_some(std::string_view text) const;
    void write(const std::string& text);

    int m_fd; // the stream's
    bool m_smart;
    bool m_unicode;
    Fd m_own; // the same terminal or pipe, opened for non-blocking writes
    std::string m_waiting;
    std::vector<std::size_t> m_drawn; // columns of the drawn lines; the cursor is after the last
};

} // namespace ezio

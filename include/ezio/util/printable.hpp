// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ezio {

// Makes untrusted text (from a torrent, a tracker, a peer, a file name) safe for a terminal: control
// characters, marks that change the writing direction and invalid UTF-8 become visible, as in "\x1b" or
// "\u202e". One line stays one line.
[[nodiscard]] std::string printable(std::string_view text);

[[nodiscard]] bool is_utf8(std::string_view text);

// The width in columns, at one column per character.
[[nodiscard]] std::size_t columns(std::string_view utf8);

// The text in the first `count` columns.
[[nodiscard]] std::string first_columns(const std::string& utf8, std::size_t count);

} // namespace ezio

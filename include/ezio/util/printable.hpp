// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace ezio {

// Text from anywhere (a torrent, a tracker, a peer, a file name) so that a terminal obeys nothing in it:
// control characters, marks that change the writing direction, and bytes that are no UTF-8 become visible,
// as in "\x1b" or "\u202e". One line stays one line.
[[nodiscard]] std::string printable(std::string_view text);

[[nodiscard]] bool is_utf8(std::string_view text);

// How many columns it takes, if every character takes one.
[[nodiscard]] std::size_t columns(std::string_view utf8);

} // namespace ezio

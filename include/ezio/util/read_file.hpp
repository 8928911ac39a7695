// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace ezio {

// The contents of a small file, of at most `limit` bytes. `watch` is called after each read with the number
// of bytes read so far; an exception that it throws ends the reading. Throws Error (ExitStatus::torrent),
// because torrents and torrent.info files are read with it.
[[nodiscard]] std::string read_file(
    const std::string& path, std::uint64_t limit,
    const std::function<void(std::uint64_t)>& watch = [](std::uint64_t) {});

} // namespace ezio

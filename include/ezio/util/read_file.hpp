// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace ezio {

// The contents of a small file, of at most `limit` bytes. `watch` is called with the number of those that
// were read, after each part; what it throws ends it. Throws Error (ExitStatus::torrent): it is what torrents
// and torrent.info files are read with.
[[nodiscard]] std::string read_file(
    const std::string& path, std::uint64_t limit,
    const std::function<void(std::uint64_t)>& watch = [](std::uint64_t) {});

} // namespace ezio

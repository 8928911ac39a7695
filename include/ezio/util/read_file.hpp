// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace ezio {

// The contents of a small file, of at most `limit` bytes. Throws Error (ExitStatus::torrent): it is what
// torrents and torrent.info files are read with.
[[nodiscard]] std::string read_file(const std::string& path, std::uint64_t limit);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ezio {

// Why other BitTorrent clients will refuse a torrent that this program accepts: one sentence for each reason,
// usually none. Tested with aria2 1.36, transmission 3.00 and libtorrent 2.0.8.
[[nodiscard]] std::vector<std::string>
portability_warnings(std::uint64_t torrent_bytes, std::uint64_t extents, std::uint64_t piece_length);

} // namespace ezio

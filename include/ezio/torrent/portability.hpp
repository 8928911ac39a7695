// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ezio {

// What other BitTorrent clients will not take of a torrent that is fine for this program: a sentence for
// each, none as a rule. Tried with aria2 1.36, transmission 3.00 and libtorrent 2.0.8.
[[nodiscard]] std::vector<std::string>
portability_warnings(std::uint64_t torrent_bytes, std::uint64_t extents, std::uint64_t piece_length);

} // namespace ezio

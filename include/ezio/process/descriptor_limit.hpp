// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace ezio {

// Connections beyond --max-peers that are not peers yet: a host that opens many silent connections must not
// keep others out.
inline constexpr int spare_connections = 512;

// The number of descriptors that the process needs with this many peers, including files of a directory.
[[nodiscard]] std::uint64_t descriptors_for(int max_peers);

// Raises the limit of open descriptors to that number if it is lower. Throws Error (ExitStatus::usage) with
// the allowed number when that is not permitted.
void allow_descriptors_for(int max_peers);

} // namespace ezio

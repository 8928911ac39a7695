// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace ezio {

// Connections beyond --max-peers that are not peers yet: a host that opens many and says nothing must not
// keep the others out.
inline constexpr int spare_connections = 512;

// Descriptors that the process needs with this many peers, files of a directory included.
[[nodiscard]] std::uint64_t descriptors_for(int max_peers);

// Raises the limit of open descriptors to that, if it is lower. Throws Error (ExitStatus::usage) when that is
// not allowed, saying how many are.
void allow_descriptors_for(int max_peers);

} // namespace ezio

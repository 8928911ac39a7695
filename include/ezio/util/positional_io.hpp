// SPDX-License-Identifier: GPL-2.0-or-later
//
// preadv and pwritev that transfer everything: they handle EINTR, short transfers and IOV_MAX.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <sys/uio.h>

namespace ezio {

[[nodiscard]] std::uint64_t total_bytes(std::span<const iovec> parts);

// Removes the first `bytes` of `parts` and returns them; `parts` must have that many.
[[nodiscard]] std::vector<iovec> take_front(std::span<iovec>& parts, std::uint64_t bytes);

// Both return 0 when every byte was transferred, otherwise errno; read_fully also end_of_file (error.hpp).
// `parts` is consumed. Any thread.
[[nodiscard]] int read_fully(int fd, std::span<iovec> parts, std::uint64_t offset);
[[nodiscard]] int write_fully(int fd, std::span<iovec> parts, std::uint64_t offset);

} // namespace ezio

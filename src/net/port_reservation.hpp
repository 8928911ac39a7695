// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/fd.hpp"

#include <cstdint>
#include <optional>

namespace ezio {

// Several ezio-cli processes that start together on one host would all find the same port free, and all but
// one would fail to bind it a moment later. So each reserves the port before trying it, for as long as the
// result lives: by an abstract socket name, which the kernel gives to only one socket of the host (of its
// network namespace). Empty if another process has it. Throws std::system_error when no socket can be
// created.
[[nodiscard]] std::optional<Fd> reserve_port(std::uint16_t port);

} // namespace ezio

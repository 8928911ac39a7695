// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/fd.hpp"

#include <cstdint>
#include <optional>

namespace ezio {

// Several ezio-cli that start together on one host would all find the same port free, and all but one fail on
// it a moment later. So each reserves the port that it is about to try, for as long as the result lives, by a
// name that the kernel gives to one socket of the host (of the network namespace) only. Empty when another
// one has it. Throws std::system_error when the kernel gives no socket.
[[nodiscard]] std::optional<Fd> reserve_port(std::uint16_t port);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/error.hpp"

#include <functional>
#include <system_error>
#include <thread>

namespace ezio {

// The error for a thread that could not be started, even by a library.
[[nodiscard]] Error no_more_threads(const std::system_error& error);

// Starts a thread that runs `work`, which must not throw: that would end the process. Throws Error
// (ExitStatus::internal) when the system allows no more threads, as in a container with a pids limit.
[[nodiscard]] std::thread start_thread(std::function<void()> work);

} // namespace ezio

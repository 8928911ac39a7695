// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/threads.hpp"

#include <fmt/format.h>

#include <utility>

namespace ezio {

Error no_more_threads(const std::system_error& error)
{
    return {
        ExitStatus::internal,
        fmt::format("no further thread can be started: {}; allow more of them (ulimit -u, the pids limit of "
                    "a container, TasksMax= of systemd)",
                    error.code().message())};
}

std::thread start_thread(std::function<void()> work)
{
    try {
        return std::thread(std::move(work));
    } catch (const std::system_error& error) {
        throw no_more_threads(error);
    }
}

} // namespace ezio

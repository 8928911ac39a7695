// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/process/child_process.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace ezio {

ForkedChild fork_child(int socket_type)
{
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, socket_type | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return {};
    }
    Fd ours(ends[0]);
    Fd theirs(ends[1]);
    const pid_t pid = ::fork();
    if (pid < 0) {
        return {};
    }
    return {pid, pid == 0 ? std::move(theirs) : std::move(ours)};
}

void close_all_but(int one, int other) noexcept
{
    const auto low = static_cast<unsigned>(std::min(one, other));
    const auto high = static_cast<unsigned>(std::max(one, other));
    if (low > 0) {
        (void)::close_range(0, low - 1, 0);
    }
    if (high > low + 1) {
        (void)::close_range(low + 1, high - 1, 0);
    }
    (void)::close_range(high + 1, ~0U, 0);
}

} // namespace ezio

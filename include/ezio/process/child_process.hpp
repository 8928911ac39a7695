// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/fd.hpp"

#include <sys/types.h>

namespace ezio {

// A copy of this process and the socket between the two. In the child `pid` is 0; where there is none it is
// -1, and there is no socket.
struct ForkedChild {
    pid_t pid = -1;
    Fd socket{};
};

// `socket_type` as of socket(2): SOCK_STREAM, SOCK_SEQPACKET.
[[nodiscard]] ForkedChild fork_child(int socket_type);

// For a child that was just forked: closes every descriptor but these two, which may be the same. Allocates
// nothing.
void close_all_but(int one, int other) noexcept;

} // namespace ezio

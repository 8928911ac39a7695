// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/fd.hpp"

#include <cerrno>

#include <unistd.h>

namespace ezio {

int Fd::close()
{
    const int fd = std::exchange(m_fd, -1);
    // Not retried on EINTR: Linux has released the descriptor by then.
    return fd < 0 || ::close(fd) == 0 ? 0 : errno;
}

} // namespace ezio

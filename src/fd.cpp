// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/fd.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace ezio {

int Fd::close()
{
    const int fd = std::exchange(m_fd, -1);
    // Not retried on EINTR: Linux has released the descriptor by then.
    return fd < 0 || ::close(fd) == 0 ? 0 : errno;
}

int sync_fully(const Fd& fd)
{
    while (::fsync(fd.get()) != 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

void occupy_standard_descriptors()
{
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        const bool closed = ::fcntl(fd, F_GETFD) < 0;
        if (closed && ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            throw std::system_error(errno, std::generic_category(), "/dev/null cannot be opened");
        }
    }
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/net/device_binding.hpp"

#include <atomic>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ezio {

namespace {

std::atomic<bool> devices_are_left_out = false;

} // namespace

void leave_out_device_binding()
{
    devices_are_left_out = true;
}

} // namespace ezio

// Defined in the program, so that shared libraries call it instead of the C library's setsockopt, which is no
// more than the system call. Binding to a device cannot be undone afterwards: that takes CAP_NET_RAW.
extern "C" int setsockopt(int fd, int level, int option, const void* value, socklen_t length) noexcept
{
    if (level == SOL_SOCKET && option == SO_BINDTODEVICE && ezio::devices_are_left_out) {
        return 0;
    }
    return static_cast<int>(::syscall(SYS_setsockopt, fd, level, option, value, length));
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/net/device_binding.hpp"

#include <atomic>

#include <dlfcn.h>
#include <sys/socket.h>

namespace ezio {

namespace {

std::atomic<bool> devices_are_left_out = false;

using SetSocketOption = int(int, int, int, const void*, socklen_t);

} // namespace

void leave_out_device_binding()
{
    devices_are_left_out = true;
}

} // namespace ezio

// Defined in the program, so that shared libraries call it instead of the C library's setsockopt. Binding to
// a device cannot be undone afterwards: that takes CAP_NET_RAW.
extern "C" int setsockopt(int fd, int level, int option, const void* value, socklen_t length) noexcept
{
    static auto* const original = reinterpret_cast<ezio::SetSocketOption*>(::dlsym(RTLD_NEXT, "setsockopt"));
    if (level == SOL_SOCKET && option == SO_BINDTODEVICE && ezio::devices_are_left_out) {
        return 0;
    }
    return original(fd, level, option, value, length);
}

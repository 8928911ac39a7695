// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/loop_view.hpp"

#include "ezio/util/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace ezio {

namespace {

Error cannot_show(const std::string& what, const std::string& call, int error)
{
    return {ExitStatus::target,
            fmt::format("no loop device can be made for {}: {}: {}", what, call, errno_text(error))};
}

// For kernels before 5.8, without LOOP_CONFIGURE. The device is read-only if `fd` is.
int configure_in_two_steps(int loop, int fd, const loop_info64& info)
{
    if (::ioctl(loop, LOOP_SET_FD, fd) != 0) {
        return errno;
    }
    if (::ioctl(loop, LOOP_SET_STATUS64, &info) != 0) {
        const int error = errno;
        (void)::ioctl(loop, LOOP_CLR_FD, 0);
        return error;
    }
    return 0;
}

// Returns 0 or errno: EBUSY if another process took the device first.
int configure(int loop, int fd, const Extent& range)
{
    loop_config config{};
    config.fd = static_cast<std::uint32_t>(fd);
    config.info.lo_offset = range.offset;
    config.info.lo_sizelimit = range.length;
    config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
    if (::ioctl(loop, LOOP_CONFIGURE, &config) == 0) {
        return 0;
    }
    return errno == EINVAL || errno == ENOTTY ? configure_in_two_steps(loop, fd, config.info) : errno;
}

} // namespace

LoopView show_read_only(int fd, const Extent& range, const std::string& what)
{
    constexpr int attempts = 100;
    constexpr const char* control_path = "/dev/loop-control";
    const Fd control(::open(control_path, O_RDWR | O_CLOEXEC));
    if (!control) {
        throw cannot_show(what, control_path, errno);
    }
    int error = EBUSY;
    std::string path = control_path;
    for (int i = 0; error == EBUSY && i < attempts; ++i) {
        const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
        if (number < 0) {
            throw cannot_show(what, control_path, errno);
        }
        path = fmt::format("/dev/loop{}", number);
        LoopView view{Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), path, 0};
        struct stat status {};
        if (!view.fd || ::fstat(view.fd.get(), &status) != 0) {
            throw cannot_show(what, path, errno);
        }
        view.device = status.st_rdev;
        (void)::flock(view.fd.get(), LOCK_EX | LOCK_NB); // before udev notices it
        error = configure(view.fd.get(), fd, range);
        if (error == 0) {
            return view;
        }
    }
    throw cannot_show(what, path, error);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "loop_device.hpp"

#include "catch.hpp"

#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

namespace ezio::test {

namespace {

// ctest shows a test with such a line as skipped, so it has to be the last thing that the test does.
void report_skipped(const std::string& what)
{
    WARN("skipped: needs " << what);
}

loop_config configuration(int backing, LoopDevice::Mode mode)
{
    loop_config config{};
    config.fd = static_cast<std::uint32_t>(backing);
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    if (mode == LoopDevice::Mode::read_only) {
        config.info.lo_flags |= LO_FLAGS_READ_ONLY;
    }
    return config;
}

bool enter_private_namespace()
{
    static const bool entered =
        ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    return entered;
}

} // namespace

bool is_root()
{
    return ::geteuid() == 0;
}

std::optional<LoopDevice> attach(const std::string& backing_file, LoopDevice::Mode mode)
{
    const Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    const Fd backing(::open(backing_file.c_str(), O_RDWR | O_CLOEXEC));
    const loop_config config = configuration(backing.get(), mode);
    for (int attempt = 0; control && attempt < 100; ++attempt) { // others may take the free one first
        const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
        const std::string path = "/dev/loop" + std::to_string(number);
        Fd fd(number >= 0 ? ::open(path.c_str(), O_RDWR | O_CLOEXEC) : -1);
        if (fd && ::ioctl(fd.get(), LOOP_CONFIGURE, &config) == 0) {
            return LoopDevice(std::move(fd), path);
        }
        if (errno != EBUSY) {
            break;
        }
    }
    report_skipped("root and loop devices");
    return std::nullopt;
}

Mount::~Mount()
{
    if (!m_point.empty()) {
        if (::umount2(m_point.c_str(), 0) != 0) {
            (void)::umount2(m_point.c_str(), MNT_DETACH); // busy: when it no longer is
        }
    }
}

std::optional<Mount> mount(const std::string& source, const std::string& point, const std::string& type,
                           unsigned long flags, const std::string& options)
{
    if (!enter_private_namespace() ||
        ::mount(source.c_str(), point.c_str(), type.c_str(), flags, options.c_str()) != 0) {
        report_skipped("root and " + type);
        return std::nullopt;
    }
    return Mount(point);
}

} // namespace ezio::test

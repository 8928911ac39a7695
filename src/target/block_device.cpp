// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/block_device.hpp"

#include "ezio/util/error.hpp"

#include <cerrno>
#include <fstream>

#include <linux/fs.h>
#include <sys/ioctl.h>

namespace ezio {

std::uint64_t device_size(const Fd& fd, const std::string& path)
{
    std::uint64_t size = 0;
    if (::ioctl(fd.get(), BLKGETSIZE64, &size) != 0) {
        throw Error(IoFailure{IoFailure::Operation::open, path, errno});
    }
    return size;
}

std::uint64_t sector_size(const Fd& fd, const std::string& path)
{
    int size = 0;
    if (::ioctl(fd.get(), BLKSSZGET, &size) != 0) {
        throw Error(IoFailure{IoFailure::Operation::open, path, errno});
    }
    return static_cast<std::uint64_t>(size);
}

bool is_rotational(dev_t device)
{
    const std::string disk = sysfs_of(device);
    for (const char* place : {"/queue/rotational", "/../queue/rotational"}) {
        std::ifstream file(disk + place);
        if (char flag = 0; file >> flag) {
            return flag == '1';
        }
    }
    return false;
}

bool is_host_managed(dev_t device, const DeviceDirectories& directories)
{
    const std::string disk = sysfs_of(device, directories);
    for (const char* place : {"/queue/zoned", "/../queue/zoned"}) {
        std::ifstream file(disk + place);
        if (std::string model; file >> model) {
            return model == "host-managed";
        }
    }
    return false;
}

} // namespace ezio

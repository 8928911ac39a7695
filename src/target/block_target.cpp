// SPDX-License-Identifier: GPL-2.0-or-later
#include "capacity.hpp"
#include "ezio/target/block_device.hpp"
#include "ezio/target/device_tree.hpp"
#include "ezio/target/device_use.hpp"
#include "ezio/target/fd_target.hpp"
#include "ezio/target/target_claims.hpp"
#include "ezio/target/target_place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace ezio {

namespace {

bool is_device(const std::string& path, dev_t device)
{
    struct stat status {};
    return path.starts_with('/') && ::stat(path.c_str(), &status) == 0 && S_ISBLK(status.st_mode) &&
           status.st_rdev == device;
}

std::string why_busy(const std::string& path, dev_t device)
{
    if (const auto uses = uses_of(device); !uses.empty()) {
        const DeviceUse& use = uses.front();
        return is_device(use.device, device)
                   ? fmt::format("{} is mounted on {}; unmount it first", path, use.point)
                   : describe_use(path, use);
    }
    if (is_swap(file_id_of_device(device))) {
        return fmt::format("{} is in use as swap; run swapoff first", path);
    }
    if (const auto holders = holders_of(device); !holders.empty()) {
        return fmt::format("{} is in use by {} (RAID, LVM or encryption); stop that first", path,
                           device_path(holders.front()));
    }
    return fmt::format("{} is in use by something that cannot be seen from here (another program, a mount in "
                       "a container, RAID, LVM); stop that first (see lsblk {} and fuser -v {})",
                       path, path, path);
}

Error read_only_device(const std::string& path)
{
    return {ExitStatus::target, fmt::format("{} is read-only; see blockdev --setrw", path)};
}

Fd open_exclusively(const std::string& path, dev_t device)
{
    Fd fd(::open(path.c_str(), O_RDWR | O_EXCL | O_CLOEXEC));
    if (fd) {
        return fd;
    }
    switch (errno) {
    case EBUSY:
        throw Error(ExitStatus::target, why_busy(path, device));
    case EROFS:
        throw read_only_device(path);
    case EACCES:
    case EPERM:
        throw Error(ExitStatus::target, fmt::format("no permission to write to {}; are you root?", path));
    default:
        throw Error(ExitStatus::target, fmt::format("{} cannot be opened: {}", path, errno_text(errno)));
    }
}

Fd open_for_reading(const std::string& path)
{
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        throw Error(ExitStatus::target, fmt::format("{} cannot be opened: {}", path, errno_text(errno)));
    }
    return fd;
}

void refuse_read_only(int fd, const std::string& path)
{
    int read_only = 0;
    if (::ioctl(fd, BLKROGET, &read_only) != 0) {
        throw Error(IoFailure{IoFailure::Operation::open, path, errno});
    }
    if (read_only != 0) {
        throw read_only_device(path);
    }
}

void refuse_host_managed(dev_t device, const std::string& path)
{
    if (is_host_managed(device)) {
        throw Error(ExitStatus::target,
                    fmt::format("{} is a host-managed zoned disk, which takes writes only in sequence; the "
                                "image needs a disk that takes them in any order",
                                path));
    }
}

void refuse_wrong_sectors(const Fd& fd, const std::string& path, const Image& image)
{
    const std::uint64_t sector = sector_size(fd, path);
    const std::uint64_t largest = image.map.largest_sector();
    if (image.sector_bytes != 0 && sector != image.sector_bytes) {
        throw Error(ExitStatus::target,
                    fmt::format("{} has sectors of {} bytes, but the image is of a disk with sectors of {} "
                                "bytes, which its partition table counts in; it needs such a disk",
                                path, sector, image.sector_bytes));
    }
    if (sector > largest) {
        throw Error(
            ExitStatus::target,
            fmt::format("{} has sectors of {} bytes, but the image's extents fit sectors of at most {} "
                        "bytes; it needs another disk",
                        path, sector, largest));
    }
}

} // namespace

TargetPlace block_device_place(const std::string& path, Access access)
{
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        throw Error(ExitStatus::target, fmt::format("{}: {}", path, errno_text(errno)));
    }
    Fd fd = access == Access::read_write ? open_exclusively(path, status.st_rdev) : open_for_reading(path);
    Claims claims;
    if (access == Access::read_write) {
        refuse_read_only(fd.get(), path);
        refuse_host_managed(status.st_rdev, path);
        refuse_used_loop(path, {});                      // other users have claimed the device itself
        refuse_used_loop(path, uses_of(status.st_rdev)); // of the layers below
        claims = claim_below(path, status.st_rdev);
    }
    return {TargetPlace::Kind::block_device, path, access, std::move(fd), {}, std::move(claims)};
}

std::unique_ptr<Target> open_block_device(TargetPlace place, const Image& image)
{
    refuse_too_small(place.path, device_size(place.fd, place.path), image);
    if (place.access == Access::read_write) {
        refuse_wrong_sectors(place.fd, place.path, image);
    }
    return std::make_unique<FdTarget>(std::move(place.fd), std::move(place.path),
                                      page_cache_for(image.map.data_bytes()), std::move(place.claims));
}

std::unique_ptr<Target> open_block_device(const std::string& path, Access access, const Image& image)
{
    return open_block_device(block_device_place(path, access), image);
}

} // namespace ezio

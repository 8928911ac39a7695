// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/source_disk.hpp"

#include "ezio/source/disk_layout.hpp"
#include "ezio/target/block_device.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/positional_io.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ezio {

namespace {

Error cannot_open(const std::string& path, int error)
{
    return {ExitStatus::target, fmt::format("{} cannot be opened: {}", path, errno_text(error))};
}

void sync(const Fd& fd, const std::string& path)
{
    if (const int error = sync_fully(fd); error != 0) {
        throw Error(IoFailure{IoFailure::Operation::sync, path, error});
    }
}

// The devices that have to be written out first, in this order: those on top of it and of its partitions,
// then the partitions.
std::vector<dev_t> devices_upon(dev_t device)
{
    std::vector<dev_t> devices = holders_of(device);
    for (const PartitionDevice& partition : partition_devices(device)) {
        const auto holders = holders_of(partition.device);
        devices.insert(devices.end(), holders.begin(), holders.end());
        devices.push_back(partition.device);
    }
    return devices;
}

} // namespace

SourceDisk open_source_disk(const std::string& path)
{
    SourceDisk disk;
    disk.path = path;
    // O_NONBLOCK: do not wait for the writer of a pipe, which is refused below.
    disk.fd = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!disk.fd || ::fstat(disk.fd.get(), &status) != 0) {
        throw cannot_open(path, errno);
    }
    disk.is_device = S_ISBLK(status.st_mode);
    if (!disk.is_device && !S_ISREG(status.st_mode)) {
        throw Error(ExitStatus::target,
                    fmt::format("{} is neither a block device nor a regular file nor a directory", path));
    }
    disk.size = disk.is_device ? device_size(disk.fd, path) : static_cast<std::uint64_t>(status.st_size);
    disk.device = disk.is_device ? status.st_rdev : 0;
    disk.uses = disk.is_device ? uses_of(disk.device) : uses_of_file(path);
    if (disk.size == 0) {
        throw Error(ExitStatus::target,
                    fmt::format("{} is empty: there is nothing to make an image of", path));
    }
    return disk;
}

void refuse_changing(const SourceDisk& disk)
{
    for (const DeviceUse& use : disk.uses) {
        if (!use.read_only) {
            const std::string what = use.device == disk.path
                                         ? fmt::format("{} is mounted", disk.path)
                                         : fmt::format("{} is in use: {} is mounted", disk.path, use.device);
            throw Error(ExitStatus::target,
                        fmt::format("{} for writing on {}; unmount it (or mount -o remount,ro) so that it "
                                    "does not change while it is read, or use --force",
                                    what, use.point));
        }
    }
}

bool has_devices_upon(const SourceDisk& disk)
{
    return !devices_upon(disk.device).empty();
}

void refresh_cache(const SourceDisk& disk)
{
    for (const dev_t device : devices_upon(disk.device)) {
        const std::string path = device_path(device);
        const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (fd) {
            sync(fd, path);
        }
    }
    sync(disk.fd, disk.path);
    (void)::posix_fadvise(disk.fd.get(), 0, 0, POSIX_FADV_DONTNEED); // as far as possible
}

void read_source(int fd, const std::string& path, std::uint64_t offset, std::span<std::byte> bytes)
{
    iovec part{bytes.data(), bytes.size()};
    if (const int error = read_fully(fd, std::span(&part, 1), offset); error != 0) {
        throw Error(IoFailure{IoFailure::Operation::read, path, error, offset, bytes.size()});
    }
}

void read_source(const SourceDisk& disk, std::uint64_t offset, std::span<std::byte> bytes)
{
    read_source(disk.fd.get(), disk.path, offset, bytes);
}

std::array<std::byte, superblock_bytes> read_superblock(const SourceDisk& disk, std::uint64_t offset)
{
    std::array<std::byte, superblock_bytes> bytes{};
    read_source(disk, offset, bytes);
    return bytes;
}

std::vector<Extent> data_extents(const SourceDisk& disk)
{
    const auto length = static_cast<off_t>(disk.size);
    std::vector<Extent> extents{tail_of(disk.size)};
    for (off_t at = 0; at < length;) {
        const off_t data = ::lseek(disk.fd.get(), at, SEEK_DATA);
        if (data < 0 && errno == ENXIO) {
            break; // only a hole remains
        }
        const off_t hole = data < 0 ? data : ::lseek(disk.fd.get(), data, SEEK_HOLE);
        if (hole < 0) {
            throw Error(
                IoFailure{IoFailure::Operation::read, disk.path, errno, static_cast<std::uint64_t>(at)});
        }
        extents.push_back(
            {static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(std::min(hole, length) - data)});
        at = hole;
    }
    return united(std::move(extents));
}

} // namespace ezio

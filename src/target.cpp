// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target.hpp"

#include "ezio/device_identity.hpp"
#include "ezio/directory_target.hpp"
#include "ezio/fd_target.hpp"
#include "ezio/target_place.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ezio {

std::optional<IoFailure> Target::read_at(std::uint64_t offset, std::span<std::byte> data)
{
    iovec part{data.data(), data.size()};
    return read_at(offset, std::span(&part, 1));
}

std::optional<IoFailure> Target::write_at(std::uint64_t offset, std::span<const std::byte> data)
{
    iovec part{const_cast<std::byte*>(data.data()), data.size()}; // pwritev does not write to it
    return write_at(offset, std::span(&part, 1));
}

namespace {

// "/dev/$DISK" with an empty variable is a directory, and one that can be written to.
bool is_device_directory(const struct stat& status)
{
    struct stat dev {};
    struct stat root {};
    return ::stat("/dev", &dev) == 0 && ::stat("/", &root) == 0 && dev.st_dev != root.st_dev &&
           status.st_dev == dev.st_dev;
}

void refuse_other_disk(const std::string& path, const std::string& serial)
{
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISBLK(status.st_mode)) {
        throw Error(
            ExitStatus::target,
            fmt::format("--serial {}: {} is no block device, and has no serial number", serial, path));
    }
    const auto identities = device_identities(status.st_rdev);
    if (!is_identity(serial, identities)) {
        throw Error(
            ExitStatus::target,
            identities.empty()
                ? fmt::format("--serial {}: {} has no serial number that the system knows", serial, path)
                : fmt::format("--serial {}: {} is another disk: {}", serial, path,
                              fmt::join(identities, ", ")));
    }
}

} // namespace

std::optional<IoFailure> Target::discard(std::uint64_t offset, std::uint64_t length)
{
    return IoFailure{IoFailure::Operation::discard, path(), offset, length, EOPNOTSUPP};
}

int refuse_second_writer(const Fd& fd, const std::string& path)
{
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
        return 0;
    }
    if (errno == EWOULDBLOCK) {
        throw Error(ExitStatus::target, fmt::format("{} is being written by another process", path));
    }
    return errno;
}

NewFile::~NewFile()
{
    if (!m_path.empty()) {
        (void)::unlink(m_path.c_str());
    }
}

std::unique_ptr<Target> open_target(const std::string& path, Access access, const Image& image,
                                    const std::string& serial)
{
    return open_target(open_place(path, access, serial), image);
}

std::unique_ptr<Target> open_target(TargetPlace place, const Image& image)
{
    switch (place.kind) {
    case TargetPlace::Kind::block_device:
        return open_block_device(std::move(place), image);
    case TargetPlace::Kind::image_file:
        return open_image_file(std::move(place), image);
    case TargetPlace::Kind::directory:
        break;
    }
    return open_directory(place.path, place.access, image);
}

TargetPlace open_place(const std::string& path, Access access, const std::string& serial)
{
    struct stat status {};
    if (!serial.empty()) {
        refuse_other_disk(path, serial);
    }
    if (::stat(path.c_str(), &status) != 0) {
        const int error = errno;
        if (error == ENOENT && real_path(path).starts_with("/dev/")) {
            throw Error(
                ExitStatus::target,
                fmt::format("{} does not exist; is the disk there, and its name spelled right?", path));
        }
        if (error != ENOENT || access == Access::read_only) {
            throw Error(ExitStatus::target, fmt::format("{}: {}", path, errno_text(error)));
        }
        return image_file_place(path, access);
    }
    if (S_ISBLK(status.st_mode)) {
        return block_device_place(path, access);
    }
    if (S_ISREG(status.st_mode)) {
        return image_file_place(path, access);
    }
    if (S_ISDIR(status.st_mode)) {
        if (access == Access::read_write && is_device_directory(status)) {
            throw Error(ExitStatus::target,
                        fmt::format("{} is the directory of devices; name one of them", path));
        }
        return {TargetPlace::Kind::directory, path, access};
    }
    throw Error(ExitStatus::target,
                fmt::format("{} is neither a block device nor a regular file nor a directory", path));
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/target.hpp"

#include "ezio/target/device_identity.hpp"
#include "ezio/target/device_use.hpp"
#include "ezio/target/directory_target.hpp"
#include "ezio/target/fd_target.hpp"
#include "ezio/target/target_place.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace ezio {

namespace {

// Counts a call on the target for its lifetime.
class Watched {
  public:
    explicit Watched(DiskCalls* calls)
    {
        if (calls != nullptr) {
            m_call.emplace(*calls);
        }
    }

  private:
    std::optional<DiskCalls::Call> m_call;
};

} // namespace

std::optional<IoFailure> Target::read_at(std::uint64_t offset, std::span<iovec> parts)
{
    const Watched call(m_calls);
    if (m_replaced.empty()) {
        return do_read_at(offset, parts);
    }
    const std::vector<iovec> filled(parts.begin(), parts.end()); // `parts` is consumed
    auto failed = do_read_at(offset, parts);
    if (!failed) {
        m_replaced.restore(offset, filled);
    }
    return failed;
}

std::optional<IoFailure> Target::read_at(std::uint64_t offset, std::span<std::byte> data)
{
    iovec part{data.data(), data.size()};
    return read_at(offset, std::span(&part, 1));
}

std::optional<IoFailure> Target::write_at(std::uint64_t offset, std::span<iovec> parts)
{
    const Watched call(m_calls);
    return do_write_at(offset, parts);
}

std::optional<IoFailure> Target::write_at(std::uint64_t offset, std::span<const std::byte> data)
{
    iovec part{const_cast<std::byte*>(data.data()), data.size()}; // pwritev does not write to it
    return write_at(offset, std::span(&part, 1));
}

std::optional<IoFailure> Target::write_behind(const Extent& span, std::uint64_t bytes)
{
    const Watched call(m_calls);
    return do_write_behind(span, bytes);
}

std::optional<IoFailure> Target::sync()
{
    const Watched call(m_calls);
    return do_sync();
}

void Target::prefetch(std::uint64_t offset, std::uint64_t length)
{
    const Watched call(m_calls);
    do_prefetch(offset, length);
}

void Target::drop_cache()
{
    const Watched call(m_calls);
    do_drop_cache();
}

std::optional<IoFailure> Target::discard(std::uint64_t offset, std::uint64_t length)
{
    const Watched call(m_calls);
    return do_discard(offset, length);
}

void Target::with_descriptor(const std::function<void(int fd)>& use)
{
    const Watched call(m_calls);
    do_with_descriptor(use);
}

namespace {

bool is_below_dev(const std::string& real)
{
    return (real + "/").starts_with("/dev/") && !(real + "/").starts_with("/dev/shm/");
}

// Whether a directory is on the file system of /dev, or on a devtmpfs somewhere else. A new file there would
// be a missing or misspelled disk, and would be kept in memory. If /dev is not a mount point, only the name
// can tell. File systems mounted below /dev, such as /dev/shm, are fine.
bool is_among_devices(const std::string& directory, const struct stat& status)
{
    struct stat dev {};
    struct stat root {};
    if (::stat("/dev", &dev) == 0 && ::stat("/", &root) == 0 && status.st_dev == dev.st_dev &&
        (dev.st_dev != root.st_dev || is_below_dev(real_path(directory)))) {
        return true;
    }
    return is_devtmpfs(status.st_dev);
}

// The same for a path that does not exist: checks the directory in which it would be made, or that
// directory's.
bool would_be_among_devices(const std::string& path)
{
    std::filesystem::path directory = std::filesystem::path(real_path(path)).parent_path();
    struct stat status {};
    while (::stat(directory.c_str(), &status) != 0) {
        if (directory == directory.parent_path()) {
            return false;
        }
        directory = directory.parent_path();
    }
    return is_among_devices(directory.string(), status);
}

void refuse_other_disk(const std::string& path, const std::string& serial)
{
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISBLK(status.st_mode)) {
        throw Error(
            ExitStatus::target,
            fmt::format("--serial {}: {} is not a block device and has no serial number", serial, path));
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

std::optional<IoFailure> Target::do_discard(std::uint64_t offset, std::uint64_t length)
{
    return IoFailure{IoFailure::Operation::discard, path(), EOPNOTSUPP, offset, length};
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
        if (error == ENOENT && would_be_among_devices(path)) {
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
        if (access == Access::read_write && is_among_devices(directory_of(real_path(path)), status)) {
            throw Error(ExitStatus::target,
                        fmt::format("{} is a regular file among the devices, in memory; remove it, and see "
                                    "whether the disk is there and its name spelled right",
                                    path));
        }
        return image_file_place(path, access);
    }
    if (S_ISDIR(status.st_mode)) {
        if (access == Access::read_write && is_among_devices(path, status)) {
            throw Error(ExitStatus::target,
                        fmt::format("{} is the directory of devices; name one of them", path));
        }
        return {TargetPlace::Kind::directory, path, access};
    }
    throw Error(ExitStatus::target,
                fmt::format("{} is neither a block device nor a regular file nor a directory", path));
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "capacity.hpp"
#include "ezio/target/device_use.hpp"
#include "ezio/target/fd_target.hpp"
#include "ezio/target/target_claims.hpp"
#include "ezio/target/target_place.hpp"

#include <fmt/format.h>

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ezio {

namespace {

Fd open_existing(const std::string& path, Access access)
{
    const int mode = access == Access::read_write ? O_RDWR : O_RDONLY;
    Fd fd(::open(path.c_str(), mode | O_CLOEXEC));
    if (!fd) {
        throw Error(ExitStatus::target,
                    fmt::format("{} cannot be opened{}: {}", path,
                                access == Access::read_write ? " for writing" : "", errno_text(errno)));
    }
    return fd;
}

Fd create(const std::string& path)
{
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)); // an image holds secrets
    if (!fd) {
        throw Error(ExitStatus::target, fmt::format("{} cannot be created: {}", path, errno_text(errno)));
    }
    return fd;
}

struct stat status_of(int fd, const std::string& path)
{
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        throw Error(IoFailure{IoFailure::Operation::open, path, errno});
    }
    return status;
}

void lock_file(const Fd& fd, const std::string& path)
{
    if (const int error = refuse_second_writer(fd, path); error != 0) {
        throw Error(ExitStatus::target, fmt::format("{} cannot be locked: {}", path, errno_text(error)));
    }
    lock_bytes(fd, path);
}

void refuse_swap(const Fd& fd, const std::string& path)
{
    if (const auto id = file_id(fd.get()); id && is_swap(*id)) {
        throw Error(ExitStatus::target, fmt::format("{} is in use as swap; run swapoff first", path));
    }
}

void grow(int fd, const std::string& path, std::uint64_t needed)
{
    const auto status = status_of(fd, path);
    if (static_cast<std::uint64_t>(status.st_size) < needed &&
        ::ftruncate(fd, static_cast<off_t>(needed)) != 0) {
        throw Error(IoFailure{IoFailure::Operation::resize, path, errno, 0, needed});
    }
}

std::uint64_t allocated_bytes(const struct stat& status)
{
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

} // namespace

TargetPlace image_file_place(const std::string& path, Access access)
{
    if (access == Access::read_only) {
        return {TargetPlace::Kind::image_file, path, access, open_existing(path, access)};
    }
    const bool exists = ::access(path.c_str(), F_OK) == 0;
    Fd fd = exists ? open_existing(path, access) : create(path);
    lock_file(fd, path); // from here on we may remove the file
    TargetPlace place{TargetPlace::Kind::image_file, path, access, std::move(fd),
                      exists ? NewFile() : NewFile(path)};
    if (exists) {
        refuse_swap(place.fd, path);
        refuse_used_loop(path, uses_of_file(path));
    } else {
        sync_name_of(path);
    }
    return place;
}

std::unique_ptr<Target> open_image_file(TargetPlace place, const Image& image)
{
    const std::string& path = place.path;
    const auto status = status_of(place.fd.get(), path);
    if (place.access == Access::read_write) {
        refuse_full_file_system(path, place.fd.get(), image.map.data_bytes(), allocated_bytes(status));
        grow(place.fd.get(), path, image.map.device_end());
    } else {
        refuse_too_small(path, static_cast<std::uint64_t>(status.st_size), image);
    }
    place.created.keep();
    const auto file_bytes =
        place.access == Access::read_write ? std::optional(image.map.device_end()) : std::nullopt;
    return std::make_unique<FdTarget>(std::move(place.fd), path, page_cache_for(image.map.data_bytes()),
                                      std::move(place.claims), file_bytes);
}

std::unique_ptr<Target> open_image_file(const std::string& path, Access access, const Image& image)
{
    return open_image_file(image_file_place(path, access), image);
}

} // namespace ezio

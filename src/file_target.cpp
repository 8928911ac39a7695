// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/fd_target.hpp"
#include "ezio/free_space.hpp"
#include "ezio/mounts.hpp"
#include "ezio/target_claims.hpp"

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
        throw Error(IoFailure{IoFailure::Operation::open, path, 0, 0, errno});
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
        throw Error(IoFailure{IoFailure::Operation::resize, path, 0, needed, errno});
    }
}

std::uint64_t allocated_bytes(const struct stat& status)
{
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

Fd open_for_writing(const std::string& path, const Image& image)
{
    const bool exists = ::access(path.c_str(), F_OK) == 0;
    Fd fd = exists ? open_existing(path, Access::read_write) : create(path);
    lock_file(fd, path); // from here on the file is ours to remove
    try {
        if (exists) {
            refuse_swap(fd, path);
            refuse_used_loop(path, uses_of_file(path));
        } else {
            sync_name_of(path);
        }
        const auto allocated = allocated_bytes(status_of(fd.get(), path));
        refuse_full_file_system(path, fd.get(), image.map.device_bytes(), allocated);
        grow(fd.get(), path, image.map.device_end());
    } catch (...) {
        if (!exists) {
            (void)::unlink(path.c_str()); // it was not there before
        }
        throw;
    }
    return fd;
}

} // namespace

std::unique_ptr<Target> open_image_file(const std::string& path, Access access, const Image& image)
{
    const PageCache page_cache = page_cache_for(image.map.device_bytes());
    if (access == Access::read_write) {
        return std::make_unique<FdTarget>(open_for_writing(path, image), path, page_cache, Claims{},
                                          image.map.device_end());
    }
    Fd fd = open_existing(path, access);
    const auto size = static_cast<std::uint64_t>(status_of(fd.get(), path).st_size);
    refuse_too_small(path, size, image);
    return std::make_unique<FdTarget>(std::move(fd), path, page_cache);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/file_id.hpp"

#include "ezio/util/error.hpp"

#include <cerrno>

namespace ezio {

FileId file_id(const struct stat& status)
{
    return S_ISBLK(status.st_mode) ? file_id_of_device(status.st_rdev)
                                   : FileId{false, status.st_dev, status.st_ino};
}

FileId file_id_of_device(dev_t device)
{
    return {true, device, 0};
}

std::optional<FileId> file_id(const std::string& path)
{
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? std::optional(file_id(status)) : std::nullopt;
}

std::optional<FileId> file_id(int fd)
{
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? std::optional(file_id(status)) : std::nullopt;
}

std::optional<int> loss_of(const std::string& path, const FileId& id, std::uint64_t size)
{
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return errno == ENOENT || errno == ENOTDIR ? std::optional(ESTALE) : std::nullopt;
    }
    if (file_id(status) != id) {
        return ESTALE;
    }
    return static_cast<std::uint64_t>(status.st_size) < size ? std::optional(end_of_file) : std::nullopt;
}

} // namespace ezio

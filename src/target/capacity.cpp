// SPDX-License-Identifier: GPL-2.0-or-later
#include "capacity.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <cerrno>

#include <sys/statvfs.h>

namespace ezio {

void refuse_too_small(const std::string& path, std::uint64_t size, const Image& image)
{
    const std::uint64_t needed = image.map.device_end();
    if (size < needed) {
        throw Error(ExitStatus::target,
                    fmt::format("{} is {} ({} bytes), the image needs {} ({} bytes)", path,
                                format_bytes(size), size, format_bytes(needed), needed));
    }
}

void refuse_full_file_system(const std::string& path, int fd, std::uint64_t payload, std::uint64_t allocated)
{
    struct statvfs status {};
    if (::fstatvfs(fd, &status) != 0) {
        throw Error(IoFailure{IoFailure::Operation::open, path, errno});
    }
    const std::uint64_t free = std::uint64_t{status.f_bavail} * status.f_frsize;
    const std::uint64_t needed = payload > allocated ? payload - allocated : 0;
    if (status.f_blocks != 0 && free < needed) { // 0: no limit (some tmpfs)
        throw Error(ExitStatus::target,
                    fmt::format("the file system of {} has {} ({} bytes) free, the image needs {} ({} bytes)",
                                path, format_bytes(free), free, format_bytes(needed), needed));
    }
}

} // namespace ezio

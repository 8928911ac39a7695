// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/read_file.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/fd.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ezio {

std::string read_file(const std::string& path, std::uint64_t limit,
                      const std::function<void(std::uint64_t)>& watch)
{
    const auto refuse = [&](const std::string& why) {
        return Error(ExitStatus::torrent, fmt::format("{} cannot be read: {}", path, why));
    };
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        throw refuse(errno_text(errno));
    }
    if (S_ISBLK(status.st_mode)) { // most likely TORRENT and TARGET in the wrong order
        throw refuse("it is a block device, not a file");
    }
    if (static_cast<std::uint64_t>(status.st_size) > limit) {
        throw refuse(fmt::format("it is larger than the limit of {}", format_bytes(limit)));
    }
    std::string text;
    for (ssize_t got = 1; got != 0;) {
        const std::size_t old = text.size();
        text.resize(old + 1_MiB);
        got = ::read(fd.get(), text.data() + old, 1_MiB);
        if (got < 0 && errno != EINTR) {
            throw refuse(errno_text(errno));
        }
        text.resize(old + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        watch(text.size());
        if (text.size() > limit) {
            throw refuse(fmt::format("it is larger than the limit of {}", format_bytes(limit)));
        }
    }
    return text;
}

} // namespace ezio

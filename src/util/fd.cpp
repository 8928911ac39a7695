// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/fd.hpp"

#include "ezio/util/error.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace ezio {

int Fd::close()
{
    const int fd = std::exchange(m_fd, -1);
    // Not retried on EINTR: Linux has released the descriptor already.
    return fd < 0 || ::close(fd) == 0 ? 0 : errno;
}

int sync_fully(const Fd& fd)
{
    while (::fsync(fd.get()) != 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

int sync_range(const Fd& fd, std::uint64_t offset, std::uint64_t length, unsigned flags)
{
    while (::sync_file_range(fd.get(), static_cast<off64_t>(offset), static_cast<off64_t>(length), flags) !=
           0) {
        if (errno == EINVAL || errno == ENOSYS || errno == ESPIPE) {
            return 0;
        }
        if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

std::string real_path(const std::string& path)
{
    std::error_code error;
    const auto absolute = std::filesystem::absolute(path, error);
    const auto real = error ? absolute : std::filesystem::weakly_canonical(absolute, error);
    return error ? path : real.string();
}

std::string directory_of(const std::string& path)
{
    const auto parent = std::filesystem::path(path).parent_path();
    return parent.empty() ? "." : parent.string();
}

int sync_directory(const std::string& path)
{
    const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const int error = fd ? sync_fully(fd) : errno;
    const bool only_the_kernel_can = fd ? error == EINVAL : error == EACCES; // and will
    return only_the_kernel_can ? 0 : error;
}

void sync_name_of(const std::string& path)
{
    const std::string directory = directory_of(path);
    if (const int error = sync_directory(directory); error != 0) {
        throw Error(IoFailure{IoFailure::Operation::sync, directory, error});
    }
}

void occupy_standard_descriptors()
{
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        const bool closed = ::fcntl(fd, F_GETFD) < 0;
        if (closed && ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            throw std::system_error(errno, std::generic_category(), "/dev/null cannot be opened");
        }
    }
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/fd_target.hpp"

#include "ezio/positional_io.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace ezio {

std::optional<IoFailure> FdTarget::read_at(std::uint64_t offset, std::span<iovec> parts)
{
    const std::uint64_t length = total_bytes(parts);
    const int error = read_fully(m_fd.get(), parts, offset);
    if (error != 0) {
        return IoFailure{IoFailure::Operation::read, m_path, offset, length, error == end_of_file ? 0 : error};
    }
    return std::nullopt;
}

std::optional<IoFailure> FdTarget::write_at(std::uint64_t offset, std::span<iovec> parts)
{
    const std::uint64_t length = total_bytes(parts);
    const int error = write_fully(m_fd.get(), parts, offset);
    if (error != 0) {
        return IoFailure{IoFailure::Operation::write, m_path, offset, length, error};
    }
    return std::nullopt;
}

void FdTarget::start_writeback(std::uint64_t offset, std::uint64_t length)
{
    // A hint: an error here is an error of an earlier write, and fsync reports it.
    (void)::sync_file_range(m_fd.get(), static_cast<off64_t>(offset), static_cast<off64_t>(length),
                            SYNC_FILE_RANGE_WRITE);
}

std::optional<IoFailure> FdTarget::sync()
{
    while (::fsync(m_fd.get()) != 0) {
        if (errno != EINTR) {
            return IoFailure{IoFailure::Operation::sync, m_path, 0, 0, errno};
        }
    }
    return std::nullopt;
}

} // namespace ezio

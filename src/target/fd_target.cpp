// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/fd_target.hpp"

#include "ezio/target/block_device.hpp"
#include "ezio/util/file_id.hpp"
#include "ezio/util/positional_io.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ezio {

std::optional<IoFailure> FdTarget::do_read_at(std::uint64_t offset, std::span<iovec> parts)
{
    const std::uint64_t length = total_bytes(parts);
    const int error = read_fully(m_fd.get(), parts, offset);
    if (error != 0) {
        return IoFailure{IoFailure::Operation::read, m_path, error, offset, length};
    }
    drop_used(offset, length);
    return std::nullopt;
}

std::optional<IoFailure> FdTarget::do_write_at(std::uint64_t offset, std::span<iovec> parts)
{
    const std::uint64_t length = total_bytes(parts);
    const int error = write_fully(m_fd.get(), parts, offset);
    if (error != 0) {
        return IoFailure{IoFailure::Operation::write, m_path, error, offset, length};
    }
    return std::nullopt;
}

std::optional<IoFailure> FdTarget::do_write_behind(const Extent& span, std::uint64_t bytes)
{
    if (auto failed = sync_range(span, SYNC_FILE_RANGE_WRITE)) {
        return failed;
    }
    std::vector<Extent> due;
    {
        const MutexLock lock(m_mutex);
        due = m_behind.started(span, bytes);
    }
    for (const Extent& old : due) {
        constexpr unsigned wait =
            SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
        if (auto failed = sync_range(old, wait)) {
            return failed;
        }
        drop_used(old.offset, old.length);
    }
    return std::nullopt;
}

// Only clean pages are dropped. A hint, so there is no result.
void FdTarget::drop_used(std::uint64_t offset, std::uint64_t length) const
{
    if (m_page_cache == PageCache::drop) {
        const DropWindows windows = windows_ended_by(offset, length);
        if (windows.length > 0) { // 0 would mean all of it
            (void)::posix_fadvise(m_fd.get(), static_cast<off_t>(windows.offset),
                                  static_cast<off_t>(windows.length), POSIX_FADV_DONTNEED);
        }
    }
}

std::optional<IoFailure> FdTarget::sync_range(const Extent& range, unsigned flags)
{
    const int error = ezio::sync_range(m_fd, range.offset, range.length, flags);
    return error == 0 ? std::nullopt
                      : std::optional(IoFailure{IoFailure::Operation::write_back, m_path, error, range.offset,
                                                range.length});
}

std::optional<IoFailure> FdTarget::do_sync()
{
    const int error = sync_fully(m_fd);
    return error == 0 ? find() : std::optional(IoFailure{IoFailure::Operation::sync, m_path, error});
}

// Checks that the file still has its name: synced bytes are lost in a file without one. `rm`, or `mv` of
// another file to the name, works while the file is open.
std::optional<IoFailure> FdTarget::find() const
{
    struct stat status {};
    if (!m_file_bytes || ::fstat(m_fd.get(), &status) != 0) {
        return std::nullopt;
    }
    const auto loss =
        status.st_nlink == 0 ? std::optional(ESTALE) : loss_of(m_path, file_id(status), *m_file_bytes);
    return loss ? std::optional(IoFailure{IoFailure::Operation::sync, m_path, *loss}) : std::nullopt;
}

void FdTarget::do_prefetch(std::uint64_t offset, std::uint64_t length)
{
    (void)::posix_fadvise(m_fd.get(), static_cast<off_t>(offset), static_cast<off_t>(length),
                          POSIX_FADV_WILLNEED);
}

void FdTarget::do_drop_cache()
{
    (void)::posix_fadvise(m_fd.get(), 0, 0, POSIX_FADV_DONTNEED);
}

std::optional<Target::DiscardGeometry> FdTarget::discard_geometry() const
{
    struct stat status {};
    if (::fstat(m_fd.get(), &status) != 0) {
        return std::nullopt;
    }
    if (S_ISREG(status.st_mode)) {
        return DiscardGeometry{static_cast<std::uint64_t>(status.st_size),
                               static_cast<std::uint64_t>(status.st_blksize)};
    }
    return DiscardGeometry{device_size(m_fd, m_path), sector_size(m_fd, m_path)};
}

std::optional<IoFailure> FdTarget::do_discard(std::uint64_t offset, std::uint64_t length)
{
    struct stat status {};
    int result = ::fstat(m_fd.get(), &status);
    if (result == 0 && S_ISBLK(status.st_mode)) {
        std::array<std::uint64_t, 2> range{offset, length};
        result = ::ioctl(m_fd.get(), BLKDISCARD, range.data());
    } else if (result == 0) {
        result = ::fallocate(m_fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                             static_cast<off_t>(offset), static_cast<off_t>(length));
    }
    return result == 0
               ? std::nullopt
               : std::optional(IoFailure{IoFailure::Operation::discard, m_path, errno, offset, length});
}

std::optional<std::uint64_t> FdTarget::size() const
{
    struct stat status {};
    if (::fstat(m_fd.get(), &status) != 0) {
        return std::nullopt;
    }
    std::uint64_t bytes = static_cast<std::uint64_t>(status.st_size);
    const bool is_known = !S_ISBLK(status.st_mode) || ::ioctl(m_fd.get(), BLKGETSIZE64, &bytes) == 0;
    return is_known ? std::optional(bytes) : std::nullopt;
}

bool FdTarget::is_rotational() const
{
    struct stat status {};
    if (::fstat(m_fd.get(), &status) != 0) {
        return false;
    }
    return ezio::is_rotational(S_ISBLK(status.st_mode) ? status.st_rdev : status.st_dev);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace ezio {

// Owns one file descriptor. Move only.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : m_fd(fd) {}
    Fd(Fd&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
    Fd& operator=(Fd&& other) noexcept
    {
        std::swap(m_fd, other.m_fd);
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { (void)close(); } // callers that need the result call close() first

    [[nodiscard]] int get() const { return m_fd; }
    explicit operator bool() const { return m_fd >= 0; }

    // Closes now. Returns 0 or errno; 0 when there was nothing to close.
    [[nodiscard]] int close();

  private:
    int m_fd = -1;
};

// fsync, repeated after EINTR. Returns 0 or errno. Any thread.
[[nodiscard]] int sync_fully(const Fd& fd);

// sync_file_range of `length` bytes at `offset`, repeated after EINTR. Returns 0 or errno; also 0 where it is
// not supported, which leaves all of it to sync_fully. Any thread.
[[nodiscard]] int sync_range(const Fd& fd, std::uint64_t offset, std::uint64_t length, unsigned flags);

// The absolute path without symbolic links; the file need not exist. Returns `path` itself if it cannot be
// resolved.
[[nodiscard]] std::string real_path(const std::string& path);

// The directory that contains `path`.
[[nodiscard]] std::string directory_of(const std::string& path);

// Syncs a directory, so that the names in it are durable. Returns 0 or errno; also 0 where this is
// impossible: a directory that may be written but not read (EACCES), or a file system without directory sync
// (EINVAL). Any thread.
[[nodiscard]] int sync_directory(const std::string& path);

// Syncs the directory that contains `path`: synced bytes are lost if a crash loses the file's name. Throws
// Error (ExitStatus::io). Any thread.
void sync_name_of(const std::string& path);

// Opens descriptors 0 to 2 if the process was started without them. Otherwise the target could get one of
// these numbers, and our messages would go into it. They are opened in the wrong mode, so that using them
// still fails. Throws std::system_error.
void occupy_standard_descriptors();

} // namespace ezio

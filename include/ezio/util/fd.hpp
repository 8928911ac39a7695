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
    ~Fd() { (void)close(); } // who needs to know whether it worked calls close() first

    [[nodiscard]] int get() const { return m_fd; }
    explicit operator bool() const { return m_fd >= 0; }

    // Closes now. Returns 0 or errno; 0 when there was nothing to close.
    [[nodiscard]] int close();

  private:
    int m_fd = -1;
};

// fsync, until no signal interrupts it. Returns 0 or errno. Any thread.
[[nodiscard]] int sync_fully(const Fd& fd);

// sync_file_range of `length` bytes at `offset`, until no signal interrupts it. Returns 0 or errno; 0 also
// where there is no such thing, and all is left to sync_fully. Any thread.
[[nodiscard]] int sync_range(const Fd& fd, std::uint64_t offset, std::uint64_t length, unsigned flags);

// The path from the root, without links; what it names need not exist. `path` itself where that cannot be
// told.
[[nodiscard]] std::string real_path(const std::string& path);

// The directory that `path` names something in.
[[nodiscard]] std::string directory_of(const std::string& path);

// Syncs a directory, so that the names in it last. Returns 0 or errno; 0 also where it cannot be asked for:
// in a directory that may be written to but not read (EACCES), or whose file system syncs none (EINVAL). Any
// thread.
[[nodiscard]] int sync_directory(const std::string& path);

// Syncs the directory that `path` is in: bytes that are synced are no use in a file whose name a crash has
// taken. Throws Error (ExitStatus::io). Any thread.
void sync_name_of(const std::string& path);

// Takes descriptors 0 to 2 where the process was started without them: or the target could get one of these
// numbers, and our messages with it. They are opened the wrong way round, so that using them still fails.
// Throws std::system_error.
void occupy_standard_descriptors();

} // namespace ezio

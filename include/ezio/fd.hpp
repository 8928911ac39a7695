// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

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

// Takes descriptors 0 to 2 where the process was started without them: or the target could get one of these
// numbers, and our messages with it. They are opened the wrong way round, so that using them still fails.
// Throws std::system_error.
void occupy_standard_descriptors();

} // namespace ezio

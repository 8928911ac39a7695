// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/fd.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

namespace ezio::test {

// While it lives, what goes to `fd` (standard output or standard error) goes to the file `to` instead.
class Redirected {
  public:
    Redirected(int fd, int to) : m_fd(fd), m_before(::dup(fd))
    {
        (void)std::fflush(nullptr);
        if (!m_before || ::dup2(to, m_fd) < 0) {
            throw std::runtime_error("output cannot be redirected");
        }
    }
    Redirected(const Redirected&) = delete;
    Redirected& operator=(const Redirected&) = delete;
    ~Redirected()
    {
        (void)std::fflush(nullptr);
        (void)::dup2(m_before.get(), m_fd); // it was there before
    }

  private:
    int m_fd;
    Fd m_before;
};

// While it lives, what goes to `fd` is kept here.
class CapturedOutput {
  public:
    explicit CapturedOutput(int fd)
        : m_file(::memfd_create("captured", MFD_CLOEXEC)), m_redirected(fd, m_file.get())
    {}

    // What came so far.
    [[nodiscard]] std::string text() const
    {
        (void)std::fflush(nullptr);
        std::string text;
        std::array<char, 4096> buffer{};
        ssize_t got = 0;
        while ((got = ::pread(m_file.get(), buffer.data(), buffer.size(), static_cast<off_t>(text.size()))) >
               0) {
            text.append(buffer.data(), static_cast<std::size_t>(got));
        }
        return text;
    }

  private:
    Fd m_file;
    Redirected m_redirected;
};

} // namespace ezio::test

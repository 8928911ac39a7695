// SPDX-License-Identifier: GPL-2.0-or-later
//
// A terminal whose screen a test can read, and the environment that programs look at beside it.
#pragma once

#include "ezio/util/fd.hpp"

#include <array>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace ezio::test {

// An environment variable that has this value, or none, while it lives.
class Variable {
  public:
    Variable(const char* name, const char* value) : m_name(name)
    {
        if (const char* before = std::getenv(name)) {
            m_before = before;
        }
        set(value);
    }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() { set(m_before ? m_before->c_str() : nullptr); }

  private:
    void set(const char* value)
    {
        (void)(value != nullptr ? ::setenv(m_name, value, 1) : ::unsetenv(m_name));
    }

    const char* m_name;
    std::optional<std::string> m_before;
};

// It changes nothing in what is written to it (no "\r" is added at line ends).
class PseudoTerminal {
  public:
    explicit PseudoTerminal(unsigned short columns) : m_screen(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC))
    {
        const char* name = nullptr;
        if (m_screen && ::grantpt(m_screen.get()) == 0 && ::unlockpt(m_screen.get()) == 0) {
            name = ::ptsname(m_screen.get());
        }
        m_device = Fd(name != nullptr ? ::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1);
        termios settings{};
        if (::tcgetattr(m_device.get(), &settings) != 0) {
            throw std::runtime_error("no pseudo terminal");
        }
        ::cfmakeraw(&settings);
        if (::tcsetattr(m_device.get(), TCSANOW, &settings) != 0) {
            throw std::runtime_error("the pseudo terminal cannot be set up");
        }
        set_width(columns);
    }

    void set_width(unsigned short columns) { set_size(24, columns); }

    void set_size(unsigned short rows, unsigned short columns)
    {
        const winsize size{rows, columns, 0, 0};
        if (::ioctl(m_device.get(), TIOCSWINSZ, &size) != 0) {
            throw std::runtime_error("the pseudo terminal has no size");
        }
    }

    // For writing to; stays the terminal's.
    [[nodiscard]] int device() const { return m_device.get(); }

    // What was written since the last call, up to and with `end`, which must come.
    [[nodiscard]] std::string read_to(const std::string& end)
    {
        constexpr int deadline_ms = 20'000;
        pollfd wanted{m_screen.get(), POLLIN, 0};
        while (m_read.find(end) == std::string::npos) {
            std::array<char, 4096> buffer{};
            const bool ready = ::poll(&wanted, 1, deadline_ms) > 0;
            const ssize_t got = ready ? ::read(m_screen.get(), buffer.data(), buffer.size()) : 0;
            if (got <= 0) {
                throw std::runtime_error("'" + end + "' was not written, only '" + m_read + "'");
            }
            m_read.append(buffer.data(), static_cast<std::size_t>(got));
        }
        const std::size_t size = m_read.find(end) + end.size();
        const std::string text = m_read.substr(0, size);
        m_read.erase(0, size);
        return text;
    }

  private:
    Fd m_screen;
    Fd m_device;
    std::string m_read; // and not given out yet
};

} // namespace ezio::test

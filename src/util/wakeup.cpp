// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/util/wakeup.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace ezio {

Wakeup::Wakeup() : m_event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
    if (!m_event) {
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
}

void Wakeup::notify() noexcept
{
    const std::uint64_t one = 1;
    // Fails only when the counter is full; the other side then wakes up anyway.
    [[maybe_unused]] const ssize_t written = ::write(m_event.get(), &one, sizeof one);
}

void Wakeup::wait_for(std::chrono::milliseconds time)
{
    pollfd wanted{m_event.get(), POLLIN, 0};
    const auto limited = std::min<std::chrono::milliseconds::rep>(time.count(), INT_MAX);
    if (::poll(&wanted, 1, static_cast<int>(limited)) > 0) {
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t got = ::read(m_event.get(), &count, sizeof count); // back to zero
    }
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "port_reservation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <system_error>

#include <sys/socket.h>
#include <sys/un.h>

namespace ezio {

std::optional<Fd> reserve_port(std::uint16_t port)
{
    Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd) {
        throw std::system_error(errno, std::generic_category(), "socket");
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = fmt::format("ezio-cli/port/{}", port);
    std::copy(name.begin(), name.end(), address.sun_path + 1); // after a zero: an abstract name, not a file
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
        return std::nullopt;
    }
    return fd;
}

} // namespace ezio

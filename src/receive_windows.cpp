// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/receive_windows.hpp"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>

namespace ezio {

namespace {

constexpr std::size_t few_connections = 6;
constexpr int all_buffers = 512 * 1024; // bytes, about the queue of a cheap switch's port
constexpr int smallest_buffer = 32 * 1024; // a smaller one costs more of the CPU than it saves of the link
constexpr std::uint32_t lan_microseconds = 20000;

// Of a connected TCP socket: the quickest answer so far. None for any other descriptor.
std::optional<std::uint32_t> quickest_answer(int fd)
{
    int protocol = 0;
    socklen_t size = sizeof protocol;
    if (::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) != 0 || protocol != IPPROTO_TCP) {
        return std::nullopt;
    }
    tcp_info info = {};
    size = sizeof info;
    constexpr int established = 1;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_state != established ||
        size < offsetof(tcp_info, tcpi_min_rtt) + sizeof info.tcpi_min_rtt) {
        return std::nullopt;
    }
    return info.tcpi_min_rtt;
}

// The descriptor may be closed, and be another one, meanwhile: then another socket of ours gets a smaller window.
void give_buffer(int fd, int bytes)
{
    const auto answer = quickest_answer(fd);
    if (answer && *answer <= lan_microseconds) {
        (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes); // it is only a matter of speed
    }
}

} // namespace

std::optional<int> receive_buffer_for(std::size_t connections)
{
    if (connections <= few_connections) {
        return std::nullopt;
    }
    const int share = all_buffers / static_cast<int>(std::min<std::size_t>(connections, all_buffers));
    return std::max(smallest_buffer, share);
}

void ReceiveWindows::adapt(std::size_t connections)
{
    const auto wanted = receive_buffer_for(connections);
    m_adapted = m_adapted || wanted.has_value();
    if (!m_adapted) {
        return;
    }
    const int bytes = wanted.value_or(all_buffers / static_cast<int>(few_connections));
    std::error_code failed; // no /proc: nothing is changed
    for (std::filesystem::directory_iterator open("/proc/self/fd", failed), end; !failed && open != end;
         open.increment(failed)) {
        const std::string name = open->path().filename();
        int fd = -1;
        std::from_chars(name.data(), name.data() + name.size(), fd);
        give_buffer(fd, bytes);
    }
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/process/child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ezio {

namespace {

void close_all_but(int one, int other) noexcept
{
    const auto low = static_cast<unsigned>(std::min(one, other));
    const auto high = static_cast<unsigned>(std::max(one, other));
    if (low > 0) {
        (void)::close_range(0, low - 1, 0);
    }
    if (high > low + 1) {
        (void)::close_range(low + 1, high - 1, 0);
    }
    (void)::close_range(high + 1, ~0U, 0);
}

[[noreturn]] void serve(const char* name, int socket, const std::function<void(int)>& answer) noexcept
{
    begin_child(name, socket, socket, {});
    char word = 0;
    if (::recv(socket, &word, 1, 0) == 1) {
        answer(socket);
    }
    ::_exit(0);
}

} // namespace

ForkedChild fork_child(int socket_type)
{
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, socket_type | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return {};
    }
    Fd ours(ends[0]);
    Fd theirs(ends[1]);
    const pid_t pid = ::fork();
    if (pid < 0) {
        return {};
    }
    return {pid, pid == 0 ? std::move(theirs) : std::move(ours)};
}

void begin_child(const char* name, int one, int other, KeptPowers kept) noexcept
{
    close_all_but(one, other);
    (void)::prctl(PR_SET_NAME, name, 0, 0, 0);
    give_up_privileges(std::nullopt, kept);
}

AskedChild::AskedChild(const char* name, const std::function<void(int)>& answer)
    : m_child(fork_child(SOCK_STREAM))
{
    if (m_child.pid == 0) {
        serve(name, m_child.socket.get(), answer);
    }
}

AskedChild::~AskedChild()
{
    (void)m_child.socket.close();
    if (m_child.pid > 0) {
        (void)::kill(m_child.pid, SIGKILL);
        (void)::waitpid(m_child.pid, nullptr, WNOHANG);
    }
}

AskedChild::Answer AskedChild::ask(milliseconds patience) const
{
    const auto end = Clock::now() + patience;
    const int socket = m_child.socket.get();
    Answer answer;
    if (::send(socket, "!", 1, MSG_NOSIGNAL) != 1) {
        return answer;
    }
    while (true) {
        const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
        pollfd ready{socket, POLLIN, 0};
        const int result = ::poll(&ready, 1, static_cast<int>(std::max(left, milliseconds(0)).count()));
        if (result < 0 && errno == EINTR) {
            continue;
        }
        std::array<char, 4096> buffer{};
        const ssize_t count = result > 0 ? ::recv(socket, buffer.data(), buffer.size(), 0) : -1;
        if (count <= 0) {
            answer.is_complete = count == 0;
            return answer;
        }
        answer.text.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

} // namespace ezio

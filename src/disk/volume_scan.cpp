// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/volume_scan.hpp"

#include "ezio/process/child_process.hpp"
#include "ezio/process/privileges.hpp"
#include "ezio/process/subprocess.hpp"
#include "ezio/target/device_tree.hpp"
#include "ezio/util/text.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <exception>
#include <optional>
#include <string_view>
#include <vector>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ezio {

namespace {

std::string last_line_of(std::string_view text)
{
    std::string_view last;
    while (!text.empty()) {
        const std::string_view line = trimmed(take_line(text));
        last = line.empty() ? last : line;
    }
    return std::string(last);
}

// Empty, or what went wrong.
std::string run_pvscan(dev_t device, const std::string& program)
{
    std::vector<std::string> command{program, "pvscan", "--cache", device_path(device)};
    for (const PartitionDevice& partition : partition_devices(device)) {
        command.push_back(partition.path);
    }
    try {
        const ProcessResult result = run_process(command, 64_KiB, [] {});
        return result.status == 0 ? ""
                                  : fmt::format("status {}: {}", result.status, last_line_of(result.errors));
    } catch (const std::exception& error) {
        return error.what();
    }
}

// The child. The C library lets a forked process allocate.
[[noreturn]] void serve(int socket, dev_t device, const std::string& program) noexcept
{
    close_all_but(socket, socket);
    (void)::prctl(PR_SET_NAME, "ezio-volumes", 0, 0, 0);
    give_up_privileges(std::nullopt, {});
    char word = 0;
    if (::recv(socket, &word, 1, 0) == 1) {
        const std::string result = "=" + run_pvscan(device, program);
        (void)::send(socket, result.data(), result.size(), MSG_NOSIGNAL);
    }
    ::_exit(0);
}

} // namespace

VolumeScan::VolumeScan(dev_t device, const std::string& program)
{
    ForkedChild forked = fork_child(SOCK_SEQPACKET); // without one it is for udev to do
    if (forked.pid == 0) {
        serve(forked.socket.get(), device, program);
    }
    m_child = forked.pid;
    m_socket = std::move(forked.socket);
}

VolumeScan::~VolumeScan()
{
    (void)m_socket.close();
    if (m_child > 0) {
        (void)::kill(m_child, SIGKILL);
        (void)::waitpid(m_child, nullptr, WNOHANG); // one that waits for a disk is left to itself
    }
}

std::string VolumeScan::scan(milliseconds patience)
{
    std::array<char, 4096> answer{};
    pollfd ready{m_socket.get(), POLLIN, 0};
    if (::send(m_socket.get(), "!", 1, MSG_NOSIGNAL) != 1) {
        return "it cannot be run";
    }
    if (::poll(&ready, 1, static_cast<int>(patience.count())) <= 0) {
        return "it does not end";
    }
    const ssize_t count = ::recv(m_socket.get(), answer.data(), answer.size(), 0);
    return count > 0 ? std::string(answer.data() + 1, static_cast<std::size_t>(count - 1))
                     : "it cannot be run";
}

std::unique_ptr<VolumeScan> make_volume_scan(int fd)
{
    struct stat status {};
    const bool is_device = ::fstat(fd, &status) == 0 && S_ISBLK(status.st_mode);
    const std::string program = is_device ? find_program("lvm") : "";
    return program.empty() ? nullptr : std::make_unique<VolumeScan>(status.st_rdev, program);
}

} // namespace ezio

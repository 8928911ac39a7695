// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/volume_scan.hpp"

#include "ezio/process/subprocess.hpp"
#include "ezio/target/device_tree.hpp"
#include "ezio/util/text.hpp"

#include <fmt/format.h>

#include <exception>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <sys/stat.h>

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

// Returns an error, or an empty string.
std::string run_pvscan(dev_t device, const std::string& program)
{
    std::vector<std::string> command{program, "pvscan", "--cache", device_path(device)};
    for (const PartitionDevice& partition : partition_devices(device)) {
        command.push_back(partition.path);
    }
    try {
        const ProcessResult result = run_process(command, [](const ProcessResult&) {});
        return result.status == 0 ? ""
                                  : fmt::format("status {}: {}", result.status, last_line_of(result.errors));
    } catch (const std::exception& error) {
        return error.what();
    }
}

} // namespace

VolumeScan::VolumeScan(dev_t device, const std::string& program)
    : m_child("ezio-volumes", [&](int socket) {
          const std::string result = "=" + run_pvscan(device, program);
          (void)::send(socket, result.data(), result.size(), MSG_NOSIGNAL);
      })
{}

std::string VolumeScan::scan(milliseconds patience)
{
    const AskedChild::Answer answer = m_child.ask(patience);
    if (!answer.is_complete) {
        return "it does not end";
    }
    return answer.text.empty() ? "it cannot be run" : answer.text.substr(1);
}

std::unique_ptr<VolumeScan> make_volume_scan(int fd)
{
    struct stat status {};
    const bool is_device = ::fstat(fd, &status) == 0 && S_ISBLK(status.st_mode);
    const std::string program = is_device ? find_program("lvm") : "";
    return program.empty() ? nullptr : std::make_unique<VolumeScan>(status.st_rdev, program);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Real block devices and mounts, for tests that run as root. The kernel takes both back when the test process
// is gone, however it ends: loop devices detach with their last descriptor, mounts live in a private
// namespace.
#pragma once

#include "ezio/util/fd.hpp"

#include <optional>
#include <string>

namespace ezio::test {

[[nodiscard]] bool is_root();

// A block device over a file; detached at the end.
class LoopDevice {
  public:
    enum class Mode { read_write, read_only };

    [[nodiscard]] const std::string& path() const { return m_path; }

  private:
    friend std::optional<LoopDevice> attach(const std::string& backing_file, Mode mode);
    LoopDevice(Fd fd, std::string path) : m_fd(std::move(fd)), m_path(std::move(path)) {}

    Fd m_fd; // keeps it attached
    std::string m_path;
};

// Empty, with a message, where the test has to be skipped: not root, or no loop devices here.
[[nodiscard]] std::optional<LoopDevice> attach(const std::string& backing_file,
                                               LoopDevice::Mode mode = LoopDevice::Mode::read_write);

// A mounted file system; unmounted at the end.
class Mount {
  public:
    Mount(Mount&& other) noexcept : m_point(std::exchange(other.m_point, {})) {}
    Mount& operator=(Mount&&) = delete;
    ~Mount();

  private:
    friend std::optional<Mount> mount(const std::string&, const std::string&, const std::string&,
                                      unsigned long, const std::string&);
    explicit Mount(std::string point) : m_point(std::move(point)) {}

    std::string m_point;
};

// As mount(2), visible to this process only. Empty, with a message, where the test has to be skipped.
[[nodiscard]] std::optional<Mount> mount(const std::string& source, const std::string& point,
                                         const std::string& type, unsigned long flags = 0,
                                         const std::string& options = {});

} // namespace ezio::test

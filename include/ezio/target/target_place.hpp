// SPDX-License-Identifier: GPL-2.0-or-later
//
// A target in two steps: what needs privileges is done before it is known for which image. The torrent may
// come from a network, to which nothing is said with privileges that are about to be given up.
#pragma once

#include "ezio/target/target.hpp"
#include "ezio/target/target_claims.hpp"
#include "ezio/util/fd.hpp"

#include <memory>
#include <string>
#include <utility>

namespace ezio {

// Removes the file again at its end, unless it is kept.
class NewFile {
  public:
    NewFile() = default;
    explicit NewFile(std::string path) : m_path(std::move(path)) {}
    ~NewFile();
    NewFile(NewFile&& other) noexcept : m_path(std::exchange(other.m_path, {})) {}
    NewFile& operator=(NewFile&&) = delete;

    explicit operator bool() const { return !m_path.empty(); }
    void keep() { m_path.clear(); }

  private:
    std::string m_path; // empty: there is none
};

struct TargetPlace {
    enum class Kind { block_device, image_file, directory };

    Kind kind;
    std::string path;
    Access access;
    Fd fd = {};           // of a directory: none, its files are opened for the image
    NewFile created = {}; // an image file that was not there before
    Claims claims = {};   // of a block device, on what it lies on
};

// The first step of open_target: every check for which the image does not matter.
[[nodiscard]] TargetPlace open_place(const std::string& path, Access access, const std::string& serial = {});

// The second: every check for which it does.
[[nodiscard]] std::unique_ptr<Target> open_target(TargetPlace place, const Image& image);

// For open_place and open_target. All throw Error as they do.
[[nodiscard]] TargetPlace block_device_place(const std::string& path, Access access);
[[nodiscard]] TargetPlace image_file_place(const std::string& path, Access access);
[[nodiscard]] std::unique_ptr<Target> open_block_device(TargetPlace place, const Image& image);
[[nodiscard]] std::unique_ptr<Target> open_image_file(TargetPlace place, const Image& image);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// Opens a target in two steps. The first one needs privileges and no image. The torrent may come from a
// network, and privileges are given up before the network is used.
#pragma once

#include "ezio/target/target.hpp"
#include "ezio/target/target_claims.hpp"
#include "ezio/util/fd.hpp"

#include <memory>
#include <string>
#include <utility>

namespace ezio {

// A new file that is removed at the end unless it is kept.
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
    std::string m_path; // empty: none
};

struct TargetPlace {
    enum class Kind { block_device, image_file, directory };

    Kind kind;
    std::string path;
    Access access;
    Fd fd = {};           // empty for a directory, whose files are opened for the image
    NewFile created = {}; // an image file that did not exist before
    Claims claims = {};   // of a block device, on the layers below it
};

// The first step of open_target: every check that does not depend on the image.
[[nodiscard]] TargetPlace open_place(const std::string& path, Access access, const std::string& serial = {});

// The second step: every check that does.
[[nodiscard]] std::unique_ptr<Target> open_target(TargetPlace place, const Image& image);

// For open_place and open_target. All throw Error as they do.
[[nodiscard]] TargetPlace block_device_place(const std::string& path, Access access);
[[nodiscard]] TargetPlace image_file_place(const std::string& path, Access access);
[[nodiscard]] std::unique_ptr<Target> open_block_device(TargetPlace place, const Image& image);
[[nodiscard]] std::unique_ptr<Target> open_image_file(TargetPlace place, const Image& image);

} // namespace ezio

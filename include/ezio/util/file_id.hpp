// SPDX-License-Identifier: GPL-2.0-or-later
//
// The identity of the file or device that a path leads to. Hard links, symbolic links, bind mounts and second
// device nodes give the same one.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include <sys/stat.h>
#include <sys/types.h>

namespace ezio {

struct FileId {
    bool is_device = false; // a block device: `device` is its own number, and `inode` 0
    dev_t device = 0;       // of a file: the file system's
    ino_t inode = 0;
    auto operator<=>(const FileId&) const = default;
};

[[nodiscard]] FileId file_id(const struct stat& status);
[[nodiscard]] FileId file_id_of_device(dev_t device);

// Empty if there is no such file, or access is denied.
[[nodiscard]] std::optional<FileId> file_id(const std::string& path);
[[nodiscard]] std::optional<FileId> file_id(int fd);

// Checks a regular file that was opened as `path`. ESTALE: it, or a directory above it, was removed or
// replaced. end_of_file: it is shorter than `size` now. Empty: nothing is wrong, or it cannot be determined
// (a directory that may no longer be searched).
[[nodiscard]] std::optional<int> loss_of(const std::string& path, const FileId& id, std::uint64_t size);

} // namespace ezio

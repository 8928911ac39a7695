// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which file or device a path leads to, whatever it is called: hard links, symbolic links, bind mounts and
// second device nodes are all the same one.
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

// Empty when nothing is there, or it may not be looked at.
[[nodiscard]] std::optional<FileId> file_id(const std::string& path);
[[nodiscard]] std::optional<FileId> file_id(int fd);

// What became of a regular file that `path` named when it was opened, or of its name: ESTALE when it was
// removed or replaced, by whatever became of a directory above, 0 when it is shorter than `size` now; empty
// when all is well, and when that cannot be told (a directory that may no longer be searched).
[[nodiscard]] std::optional<int> loss_of(const std::string& path, const FileId& id, std::uint64_t size);

} // namespace ezio

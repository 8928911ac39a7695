// SPDX-License-Identifier: GPL-2.0-or-later
//
// Atomic file replacement.
#pragma once

#include <string>
#include <string_view>

namespace ezio {

// Throws Error (ExitStatus::target) when write_file_atomically could not create `path`, so that callers find
// out before hours of work.
void refuse_uncreatable_file(const std::string& path);

// Replaces `path` by a file with `bytes`, whole or not at all: temporary file in the same directory, fsync,
// rename. Follows symbolic links. Refuses anything but a regular file (a device, a pipe). Throws Error:
// ExitStatus::target when the file cannot be created, ExitStatus::io when writing fails; the temporary file
// is removed.
void write_file_atomically(const std::string& path, std::string_view bytes);

} // namespace ezio

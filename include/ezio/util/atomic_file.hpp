// SPDX-License-Identifier: GPL-2.0-or-later
//
// Files that are written whole or not at all.
#pragma once

#include <string>
#include <string_view>

namespace ezio {

// Throws Error (ExitStatus::target) when write_file_atomically could not create `path`: for those who want to
// know before hours of work.
void refuse_uncreatable_file(const std::string& path);

// Writes `bytes` to `path` so that there is either the whole file or what was there before: temporary file
// in the same directory, fsync, rename. A symbolic link is followed; what exists and is no regular file (a
// device, a pipe) is refused. Throws Error: ExitStatus::target when it cannot be created there,
// ExitStatus::io when writing fails; the temporary file is removed.
void write_file_atomically(const std::string& path, std::string_view bytes);

} // namespace ezio

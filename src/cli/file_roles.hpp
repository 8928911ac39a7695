// SPDX-License-Identifier: GPL-2.0-or-later
//
// Files that are read are never written: each file that a command reads is compared with each that it writes,
// by what they are and not by their names. A device counts as what it lies on, too: whoever replaces the file
// below a loop device takes its disk away.
#pragma once

#include "ezio/util/file_id.hpp"

#include <set>
#include <string>
#include <vector>

namespace ezio {

struct InputFile {
    std::string what; // "the torrent", "--ssl-key"
    std::string path; // empty: not given
};

// The file or device itself, and all that it lies on as a loop device. Empty when it does not exist.
[[nodiscard]] std::set<FileId> files_behind(const std::string& path);

// What belongs to an image in a directory: its extents' files, and partclone's torrent.info.
[[nodiscard]] std::vector<std::string> image_files_in(const std::string& directory);

// Throws Error (ExitStatus::usage) when `path` is one of `others`, by whatever name, also while neither
// exists: a torrent that is written there would replace it. An empty one is no file.
void refuse_replacing(const std::string& path, const std::vector<std::string>& others,
                      const std::string& by = "torrent");

// Throws Error (ExitStatus::usage) when one of `written`, a target or the files in it, is one of the inputs.
void refuse_overwriting(const std::vector<std::string>& written, const std::vector<InputFile>& inputs);

// Throws Error (ExitStatus::usage) when what this process prints goes to one of the files, and has it go
// nowhere from then on.
void refuse_printing_into(const std::vector<std::string>& files);

} // namespace ezio

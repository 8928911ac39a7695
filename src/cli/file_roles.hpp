// SPDX-License-Identifier: GPL-2.0-or-later
//
// Ensures that input files are never overwritten: each file that a command reads is compared with each that
// it writes, by identity and not by name. A loop device includes the layers below it: replacing the file
// below takes its disk away.
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

// The file or device itself, and everything below it if it is a loop device. Empty if it does not exist.
[[nodiscard]] std::set<FileId> files_behind(const std::string& path);

// The files of an image in a directory: those of its extents, and partclone's torrent.info.
[[nodiscard]] std::vector<std::string> image_files_in(const std::string& directory);

// Throws Error (ExitStatus::usage) when `path` is one of `others`, under any name, even if neither exists
// yet: a torrent written there would replace it. An empty path is not a file.
void refuse_replacing(const std::string& path, const std::vector<std::string>& others,
                      const std::string& by = "torrent");

// Throws Error (ExitStatus::usage) when one of `written`, a target or the files in it, is one of the inputs.
void refuse_overwriting(const std::vector<std::string>& written, const std::vector<InputFile>& inputs);

// Throws Error (ExitStatus::usage) when the output of this process goes to one of the files, and discards all
// output from then on.
void refuse_printing_into(const std::vector<std::string>& files);

} // namespace ezio

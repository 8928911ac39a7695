// SPDX-License-Identifier: GPL-2.0-or-later
//
// Bytes of a source that tell where the rest of it is, and have to be the same before and after it is hashed:
// or the image is made of parts that do not belong together.
#pragma once

#include "ezio/image/extent_map.hpp"
#include "ezio/image/sha1.hpp"

#include <span>
#include <string>

namespace ezio {

struct SteadyBytes {
    std::string what; // for messages: "the metadata of LVM2 on /dev/sda3"
    Extent extent;    // bytes from the start of the source
    Sha1Digest digest;
};

// What is there now, from the medium where the kernel lets go of what it has cached. `path` is that of the
// open device or file `fd`. Throws Error (ExitStatus::io).
[[nodiscard]] SteadyBytes note_bytes(int fd, const std::string& path, const Extent& extent, std::string what);

// Throws Error: ExitStatus::target when one of them is not as it was noted, ExitStatus::io.
void refuse_changed(int fd, const std::string& path, std::span<const SteadyBytes> noted);

} // namespace ezio

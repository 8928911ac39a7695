// SPDX-License-Identifier: GPL-2.0-or-later
//
// Bytes of a source that tell where its other parts are. They have to be the same before and after the source
// is hashed, otherwise the image consists of parts that do not belong together.
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

// Records the current bytes, from the medium if the kernel can drop its cache. `path` names the open device
// or file `fd`. Throws Error (ExitStatus::io).
[[nodiscard]] SteadyBytes note_bytes(int fd, const std::string& path, const Extent& extent, std::string what);

// Throws Error: ExitStatus::target when any of them has changed, ExitStatus::io.
void refuse_changed(int fd, const std::string& path, std::span<const SteadyBytes> noted);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/image/image.hpp"

#include <cstdint>
#include <string>

namespace ezio {

// Both throw Error: ExitStatus::target; ExitStatus::io when the file system does not answer. `path` is for
// messages.

// Refuses a device or file of `size` bytes that ends before the last extent of the image.
void refuse_too_small(const std::string& path, std::uint64_t size, const Image& image);

// Refuses the file system of `fd` if it has no room for `payload` bytes, of which `allocated` bytes already
// have theirs.
void refuse_full_file_system(const std::string& path, int fd, std::uint64_t payload, std::uint64_t allocated);

} // namespace ezio

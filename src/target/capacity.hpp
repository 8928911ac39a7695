// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/image/image.hpp"

#include <cstdint>
#include <string>

namespace ezio {

// Both throw Error (ExitStatus::target; ExitStatus::io when the file system does not say); `path` is for
// messages.

// When a device or file of `size` bytes ends before the last extent of the image.
void refuse_too_small(const std::string& path, std::uint64_t size, const Image& image);

// When the file system that `fd` is on cannot take `payload` bytes, of which `allocated` bytes have their
// place already.
void refuse_full_file_system(const std::string& path, int fd, std::uint64_t payload, std::uint64_t allocated);

} // namespace ezio

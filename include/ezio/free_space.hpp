// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace ezio {

// Throws Error (ExitStatus::target) when the file system that `fd` is on cannot take `payload` bytes, of
// which `allocated` bytes have their place already. `path` is for the message.
void refuse_full_file_system(const std::string& path, int fd, std::uint64_t payload, std::uint64_t allocated);

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/source/source_disk.hpp"
#include "ezio/util/require.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

namespace ezio::fuzz {

// A disk with these bytes in front and zeros behind them, of `size` bytes at least.
[[nodiscard]] inline SourceDisk disk_of(std::span<const std::uint8_t> bytes, std::uint64_t size)
{
    Fd memory(memfd_create("disk", MFD_CLOEXEC));
    require(static_cast<bool>(memory));
    size = std::max<std::uint64_t>(size, bytes.size());
    require(ftruncate(memory.get(), static_cast<off_t>(size)) == 0);
    require(pwrite(memory.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    SourceDisk disk;
    disk.path = "disk";
    disk.fd = std::move(memory);
    disk.size = size;
    return disk;
}

} // namespace ezio::fuzz

// SPDX-License-Identifier: GPL-2.0-or-later
// A file system that claims to be XFS, with a log wherever it says. The first byte of the input is where it
// is on the disk.
#include "memory_disk.hpp"

#include "ezio/util/error.hpp"
#include "source/xfs_log.hpp"

#include <algorithm>
#include <vector>

using namespace ezio;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr std::size_t least = superblock_bytes;
    if (size == 0) {
        return 0;
    }
    const std::uint64_t offset = std::uint64_t{data[0]} << 9;
    std::vector<std::uint8_t> bytes(offset + std::max(size - 1, least));
    std::copy(data + 1, data + size, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    const SourceDisk disk = fuzz::disk_of(bytes, bytes.size());
    int ticks = 0;
    (void)xfs_is_clean(disk, offset, disk.size - offset, [&] { require(++ticks <= 2); }); // nothing is thrown
    return 0;
}

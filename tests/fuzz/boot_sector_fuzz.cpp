// SPDX-License-Identifier: GPL-2.0-or-later
// The first sectors of file systems and of swap space, whichever of them they claim to be.
#include "ezio/source/superblock.hpp"
#include "ezio/util/require.hpp"

#include <algorithm>
#include <vector>

using namespace ezio;

namespace {

void look_at_sector(Superblock sector)
{
    (void)ext_is_clean(sector);
    require(ext_journal_device(sector).size() <= 36);
    (void)ext_has_bigalloc(sector);
    (void)ext_used_bytes(sector);
    (void)btrfs_is_clean(sector);
    (void)btrfs_device_count(sector);
    (void)btrfs_used_bytes(sector);
    (void)ntfs_boot_copy(sector);
    (void)is_fat12(sector);
    (void)xfs_layout(sector);
    (void)xfs_has_realtime_device(sector);
    (void)xfs_has_log_device(sector);
    if (const auto count = xfs_group_count(sector)) {
        require(count->used <= count->length);
    }
    if (const auto fat = fat_layout(sector)) {
        require(!is_fat12(sector) && (fat->entry_bytes == 2 || fat->entry_bytes == 4));
        require(fat->cluster_bytes > 0 && fat->table.length % fat->entry_bytes == 0);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::vector<std::byte> bytes(largest_page);
    std::transform(data, data + std::min(size, bytes.size()), bytes.begin(),
                   [](std::uint8_t byte) { return std::byte{byte}; });
    look_at_sector(Superblock(bytes.data(), superblock_bytes));
    (void)swap_end(std::span<const std::byte, largest_page>(bytes.data(), largest_page));
    for (const std::uint64_t entry_bytes : {2, 4}) {
        const std::size_t table = std::min(size, bytes.size()) / entry_bytes * entry_bytes;
        require(used_fat_entries(std::span(bytes).first(table), entry_bytes) <= table / entry_bytes);
    }
    return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
// A disk with whatever is in its partition tables: the first byte of the input chooses the sector's length
// and whether checksums are made right, so that what is behind them is reached, too.
#include "memory_disk.hpp"

#include "capture/gpt_records.hpp"
#include "capture/partition_records.hpp"
#include "ezio/disk/gpt.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/units.hpp"

#include <boost/crc.hpp>

#include <vector>

using namespace ezio;

namespace {

constexpr std::uint64_t disk_size = 64_KiB;

std::uint32_t crc_of(const std::uint8_t* bytes, std::size_t count)
{
    boost::crc_32_type crc;
    crc.process_bytes(bytes, count);
    return crc.checksum();
}

void put(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint32_t value)
{
    for (int i = 0; i < 4; ++i) {
        bytes[at++] = static_cast<std::uint8_t>(value >> 8 * i);
    }
}

std::uint64_t get(const std::vector<std::uint8_t>& bytes, std::size_t at)
{
    return bytes[at] | std::uint32_t{bytes[at + 1]} << 8 | std::uint32_t{bytes[at + 2]} << 16 |
           std::uint32_t{bytes[at + 3]} << 24;
}

void mend_checksums(std::vector<std::uint8_t>& bytes, std::size_t sector)
{
    const std::uint64_t entries_at = get(bytes, sector + 72) * sector;
    const std::uint64_t entries = get(bytes, sector + 80) * get(bytes, sector + 84);
    if (entries_at <= bytes.size() && entries <= bytes.size() - entries_at) {
        put(bytes, sector + 88, crc_of(bytes.data() + entries_at, entries));
    }
    const std::uint64_t header = get(bytes, sector + 12);
    put(bytes, sector + 16, 0);
    if (header <= sector) {
        put(bytes, sector + 16, crc_of(bytes.data() + sector, header));
    }
}

void require_on_disk(const std::vector<Extent>& extents, const SourceDisk& disk)
{
    for (const Extent& extent : extents) {
        require(extent.offset <= disk.size && extent.length <= disk.size - extent.offset);
    }
}

void look_at_move(const std::vector<std::uint8_t>& bytes, std::uint64_t size, std::uint64_t sector)
{
    const auto read = [&](const Extent& extent) -> std::optional<std::vector<std::byte>> {
        require(extent.offset <= size && extent.length <= size - extent.offset);
        std::vector<std::byte> found(extent.length);
        for (std::uint64_t i = 0; i < extent.length && extent.offset + i < bytes.size(); ++i) {
            found[i] = std::byte{bytes[extent.offset + i]};
        }
        return found;
    };
    const GptPlan plan = plan_gpt_move(read, size, sector);
    require((plan.outcome == GptPlan::Outcome::movable) == !plan.writes.empty());
    for (const GptPlan::Write& write : plan.writes) {
        require(write.offset <= size && write.bytes.size() <= size - write.offset);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) {
        return 0;
    }
    const std::size_t sector = (data[0] & 1) != 0 ? 4096 : 512;
    std::vector<std::uint8_t> bytes(data + 1, data + std::min<std::size_t>(size, disk_size));
    const std::uint64_t whole = (data[0] & 4) != 0 ? disk_size : std::max<std::size_t>(bytes.size(), 1);
    if ((data[0] & 2) != 0) {
        bytes.resize(std::max(bytes.size(), 3 * sector));
        mend_checksums(bytes, sector);
    }
    const SourceDisk disk = fuzz::disk_of(bytes, whole);
    const std::uint64_t container = data[0] >> 3 << 9;
    try {
        require_on_disk(gpt_records(disk, sector), disk);
        require_on_disk(partition_records(disk, {"gpt", {}}, sector), disk);
        require_on_disk(partition_records(disk, {"dos", {{1, container, disk.size, true}}}, sector), disk);
        (void)gpt_fault(disk, sector);
    } catch (const Error& error) {
        require(error.status() == ExitStatus::io);
    }
    look_at_move(bytes, disk.size / sector * sector, sector);
    return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "xfs_log.hpp"

#include "ezio/util/byte_order.hpp"
#include "ezio/util/page_buffer.hpp"
#include "ezio/util/units.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace ezio {

namespace {

constexpr std::uint64_t block = 512;

// The location of the log; none if it is on another device.
std::optional<Extent> log_area(Superblock superblock)
{
    constexpr unsigned widest = 31; // bits of a block number within its group
    const std::uint64_t block_size = big_u32(superblock, 4);
    const std::uint64_t start = big_u64(superblock, 48); // group and block number combined
    const std::uint64_t group_size = big_u32(superblock, 84);
    const std::uint64_t length = big_u32(superblock, 96);
    const unsigned bits = std::min(std::to_integer<unsigned>(superblock[124]), widest);
    const std::uint64_t group = start >> bits;
    const std::uint64_t block_in_group = start - (group << bits);
    if (start == 0) {
        return std::nullopt;
    }
    return Extent{(group * group_size + block_in_group) * block_size, length * block_size};
}

struct Record {
    std::uint64_t number = 0;
    std::uint32_t operations = 0;
    std::uint64_t body = 0; // bytes from the start of the log, where it wraps around
};

std::optional<Record> record_at(std::span<const std::byte> header, std::uint64_t offset)
{
    constexpr std::uint32_t magic = 0xfeedbabe;
    constexpr std::uint32_t second_version = 2; // flag: the record's header may take several blocks
    constexpr std::uint64_t bytes_for_each = 32_KiB;
    if (big_u32(header, 0) != magic) {
        return std::nullopt;
    }
    const bool has_size = (big_u32(header, 8) & second_version) != 0;
    const std::uint64_t size = has_size ? big_u32(header, 320) : 0;
    const std::uint64_t headers = std::max<std::uint64_t>(1, (size + bytes_for_each - 1) / bytes_for_each);
    return Record{big_u64(header, 16), big_u32(header, 40), offset + headers * block};
}

std::optional<Record> newest_record(const SourceDisk& disk, const Extent& log,
                                    const std::function<void()>& tick)
{
    std::optional<Record> newest;
    PageBuffer buffer(1_MiB);
    for (std::uint64_t at = 0; at < log.length; at += buffer.size()) {
        const auto bytes = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), log.length - at));
        read_source(disk, log.offset + at, bytes);
        for (std::size_t header = 0; header + block <= bytes.size(); header += block) {
            const auto record = record_at(bytes.subspan(header, block), at + header);
            if (record && (!newest || record->number > newest->number)) {
                newest = record;
            }
        }
        tick();
    }
    return newest;
}

bool is_unmount(const SourceDisk& disk, const Extent& log, const Record& record)
{
    constexpr std::size_t flags = 9; // offset in the operation's header
    constexpr std::byte unmount{0x20};
    if (record.operations != 1) {
        return false;
    }
    std::array<std::byte, block> body{};
    read_source(disk, log.offset + record.body % log.length, body);
    return (body[flags] & unmount) != std::byte{0};
}

} // namespace

bool xfs_is_clean(const SourceDisk& disk, std::uint64_t offset, std::uint64_t size,
                  const std::function<void()>& tick)
{
    auto log = log_area(read_superblock(disk, offset));
    if (!log) {
        return true;
    }
    const bool has_whole_blocks = log->length != 0 && log->length % block == 0;
    if (!has_whole_blocks || log->offset > size || log->length > size - log->offset) {
        return false;
    }
    log->offset += offset;
    const auto newest = newest_record(disk, *log, tick);
    return newest && is_unmount(disk, *log, *newest);
}

} // namespace ezio

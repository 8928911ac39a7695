// SPDX-License-Identifier: GPL-2.0-or-later
#include "gpt_records.hpp"

#include "ezio/disk/gpt.hpp"
#include "ezio/util/byte_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

namespace ezio {

namespace {

// The header in that sector. Empty if there is none, also beyond the end of the disk.
std::optional<GptHeader> header_at(const SourceDisk& disk, std::uint64_t number, std::uint64_t sector)
{
    return number < disk.size / sector ? parse_gpt_header(read_superblock(disk, number * sector))
                                       : std::nullopt;
}

void add_header(const SourceDisk& disk, std::uint64_t number, std::uint64_t sector,
                std::vector<Extent>& records)
{
    const auto header = header_at(disk, number, sector);
    if (!header) {
        return;
    }
    records.push_back({number * sector, sector});
    if (const auto entries = gpt_entries(*header, disk.size, sector)) {
        records.push_back(*entries);
    }
}

// The number, from 1, of an entry whose partition ends beyond the disk; 0: none.
std::uint64_t entry_behind(const SourceDisk& disk, const GptHeader& header, std::uint64_t sector)
{
    const auto place = gpt_entries(header, disk.size, sector);
    if (!place || header.entry_bytes < smallest_gpt_entry) {
        return 0;
    }
    std::vector<std::byte> bytes(place->length);
    read_source(disk, place->offset, bytes);
    for (std::uint64_t i = 0; i < header.entry_count; ++i) {
        const auto entry = std::span(bytes).subspan(i * header.entry_bytes, smallest_gpt_entry);
        const bool is_used = little_u64(entry, 0) != 0 || little_u64(entry, 8) != 0; // the type is not zero
        if (is_used && little_u64(entry, 40) >= disk.size / sector) {
            return i + 1;
        }
    }
    return 0;
}

std::string fault_of_larger(const SourceDisk& disk, const GptHeader& header, std::uint64_t sector)
{
    const std::string what = fmt::format("the GPT of {} is for a disk of {} bytes, but this one has {}",
                                         disk.path, (header.place_of_copy + 1) * sector, disk.size);
    if (const std::uint64_t entry = entry_behind(disk, header, sector); entry != 0) {
        return fmt::format(
            "{}, and partition {} ends beyond that: is the disk complete? Take every byte of it with --all",
            what, entry);
    }
    return fmt::format("{}; repair it with sgdisk -e {}, or take every byte with --all", what, disk.path);
}

std::string fault_of_main(const SourceDisk& disk, const GptHeader& header, std::uint64_t sector)
{
    const std::uint64_t sectors = disk.size / sector;
    if (header.last_usable >= sectors || header.place_of_copy >= sectors) {
        return fault_of_larger(disk, header, sector);
    }
    if (!has_protective_mbr(read_superblock(disk, 0))) {
        return fmt::format("{} has a GPT, but the protective MBR before it is gone; write one with sgdisk -e "
                           "{}, or take every byte with --all",
                           disk.path, disk.path);
    }
    return fmt::format("the GPT of {} is damaged, see sgdisk -v {}; repair it, or take every byte with --all",
                       disk.path, disk.path);
}

} // namespace

std::vector<Extent> gpt_records(const SourceDisk& disk, std::uint64_t sector)
{
    std::vector<Extent> records;
    add_header(disk, main_gpt_header, sector, records);
    const auto header = header_at(disk, main_gpt_header, sector);
    const std::uint64_t last = std::max<std::uint64_t>(disk.size / sector, 1) - 1;
    if (header && header->place_of_copy != last) {
        add_header(disk, header->place_of_copy, sector, records);
    }
    add_header(disk, last, sector, records);
    return records;
}

std::string gpt_fault(const SourceDisk& disk, std::uint64_t sector)
{
    if (const auto header = header_at(disk, main_gpt_header, sector)) {
        return fault_of_main(disk, *header, sector);
    }
    for (const std::uint64_t other : {512, 4096}) {
        if (other != sector && header_at(disk, main_gpt_header, other)) {
            return fmt::format("the GPT of {} counts in sectors of {} bytes, but the disk has sectors of {}: "
                               "attach it with losetup --sector-size {}, or take every byte with --all",
                               disk.path, other, sector, other);
        }
    }
    if (header_at(disk, disk.size / sector - 1, sector)) {
        return fmt::format(
            "the first sectors of {}, with its GPT, are gone, but not the copy at its end; restore them from "
            "the copy with gdisk {} (1, w, y), or take every byte with --all",
            disk.path, disk.path);
    }
    return {};
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/gpt_header.hpp"

#include "ezio/little_endian.hpp"
#include "ezio/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>

namespace ezio {

namespace {

constexpr std::uint64_t main_header = 1; // sector
constexpr std::uint64_t most_entry_bytes = 1_MiB;

bool has_signature(Superblock header)
{
    constexpr std::string_view signature = "EFI PART";
    return std::equal(signature.begin(), signature.end(), header.begin(),
                      [](char a, std::byte b) { return static_cast<std::byte>(a) == b; });
}

void add_header(const SourceDisk& disk, std::uint64_t number, std::uint64_t sector,
                std::vector<Extent>& records)
{
    const auto header = gpt_header_at(disk, number, sector);
    if (!header) {
        return;
    }
    records.push_back({number * sector, sector});
    if (const auto entries = gpt_entries(disk, *header, sector)) {
        records.push_back(*entries);
    }
}

// The number, from 1, of an entry whose partition ends behind the disk; 0: there is none.
std::uint64_t entry_behind(const SourceDisk& disk, const GptHeader& header, std::uint64_t sector)
{
    constexpr std::size_t smallest = 128; // bytes
    const auto place = gpt_entries(disk, header, sector);
    if (!place || header.entry_bytes < smallest) {
        return 0;
    }
    std::vector<std::byte> bytes(place->length);
    read_source(disk, place->offset, bytes);
    for (std::uint64_t i = 0; i < header.count; ++i) {
        const auto entry = std::span(bytes).subspan(i * header.entry_bytes, smallest);
        const bool is_used = little_u64(entry, 0) != 0 || little_u64(entry, 8) != 0; // its type
        if (is_used && little_u64(entry, 40) >= disk.size / sector) {
            return i + 1;
        }
    }
    return 0;
}

std::string fault_of_larger(const SourceDisk& disk, const GptHeader& header, std::uint64_t sector)
{
    const std::string what = fmt::format("the GPT of {} is of a disk of {} bytes, and this one has {}",
                                         disk.path, (header.other + 1) * sector, disk.size);
    if (const std::uint64_t entry = entry_behind(disk, header, sector); entry != 0) {
        return fmt::format(
            "{}, within which partition {} is not: is the disk complete? Take every byte of what "
            "is there with --all",
            what, entry);
    }
    return fmt::format("{}; mend it with sgdisk -e {}, or take every byte with --all", what, disk.path);
}

bool has_protective_mbr(const SourceDisk& disk)
{
    constexpr std::uint64_t signature = 0xaa55;
    constexpr std::byte protective{0xee}; // type
    const auto mbr = read_superblock(disk, 0);
    bool found = false;
    for (std::size_t entry = 446; entry < 510; entry += 16) {
        found = found || mbr[entry + 4] == protective;
    }
    return found && little_u16(mbr, 510) == signature;
}

std::string fault_of_main(const SourceDisk& disk, const GptHeader& header, std::uint64_t sector)
{
    const std::uint64_t sectors = disk.size / sector;
    if (header.last_usable >= sectors || header.other >= sectors) {
        return fault_of_larger(disk, header, sector);
    }
    if (!has_protective_mbr(disk)) {
        return fmt::format(
            "{} has a GPT, but the protective MBR in front of it is gone; write one with sgdisk -e "
            "{}, or take every byte with --all",
            disk.path, disk.path);
    }
    return fmt::format("the GPT of {} is damaged, see sgdisk -v {}; mend it, or take every byte with --all",
                       disk.path, disk.path);
}

} // namespace

std::optional<GptHeader> gpt_header_at(const SourceDisk& disk, std::uint64_t number, std::uint64_t sector)
{
    if (number >= disk.size / sector) {
        return std::nullopt;
    }
    const auto bytes = read_superblock(disk, number * sector);
    if (!has_signature(bytes)) {
        return std::nullopt;
    }
    return GptHeader{little_u64(bytes, 32), little_u64(bytes, 48), little_u64(bytes, 72),
                     little_u32(bytes, 80), little_u32(bytes, 84)};
}

std::optional<Extent> gpt_entries(const SourceDisk& disk, const GptHeader& header, std::uint64_t sector)
{
    const std::uint64_t sectors = disk.size / sector;
    const std::uint64_t bytes = header.count * header.entry_bytes;
    const std::uint64_t length = (bytes + sector - 1) / sector;
    if (bytes > most_entry_bytes || header.entries >= sectors || length > sectors - header.entries) {
        return std::nullopt;
    }
    return Extent{header.entries * sector, length * sector};
}

std::vector<Extent> gpt_records(const SourceDisk& disk, std::uint64_t sector)
{
    std::vector<Extent> records;
    add_header(disk, main_header, sector, records);
    const auto header = gpt_header_at(disk, main_header, sector);
    const std::uint64_t last = std::max<std::uint64_t>(disk.size / sector, 1) - 1;
    if (header && header->other != last) {
        add_header(disk, header->other, sector, records);
    }
    add_header(disk, last, sector, records);
    return records;
}

std::string gpt_fault(const SourceDisk& disk, std::uint64_t sector)
{
    if (const auto header = gpt_header_at(disk, main_header, sector)) {
        return fault_of_main(disk, *header, sector);
    }
    for (const std::uint64_t other : {512, 4096}) {
        if (other != sector && gpt_header_at(disk, main_header, other)) {
            return fmt::format(
                "the GPT of {} counts in sectors of {} bytes, and the disk in such of {}: attach it "
                "with losetup --sector-size {}, or take every byte with --all",
                disk.path, other, sector, other);
        }
    }
    if (gpt_header_at(disk, disk.size / sector - 1, sector)) {
        return fmt::format(
            "the first sectors of {}, with its GPT, are gone, but not the copy at its end; restore "
            "them from that with gdisk {} (1, w, y), or take every byte with --all",
            disk.path, disk.path);
    }
    return {};
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/gpt.hpp"

#include "ezio/util/byte_order.hpp"
#include "ezio/util/units.hpp"

#include <boost/crc.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <utility>

namespace ezio {

namespace {

using Outcome = GptPlan::Outcome;
using Bytes = std::vector<std::byte>;

constexpr std::uint64_t largest_entries = 1_MiB;

std::uint32_t crc32(std::span<const std::byte> bytes)
{
    boost::crc_32_type crc;
    crc.process_bytes(bytes.data(), bytes.size());
    return crc.checksum();
}

void store_u32(Bytes& bytes, std::size_t offset, std::uint64_t value)
{
    boost::endian::store_little_u32(reinterpret_cast<unsigned char*>(&bytes[offset]),
                                    static_cast<std::uint32_t>(value));
}

void store_u64(Bytes& bytes, std::size_t offset, std::uint64_t value)
{
    boost::endian::store_little_u64(reinterpret_cast<unsigned char*>(&bytes[offset]), value);
}

std::uint32_t computed_crc(Bytes sector, const GptHeader& header)
{
    store_u32(sector, 16, 0);
    return crc32(std::span(sector).first(header.size));
}

// The same table, described by a header in another sector.
Bytes moved(Bytes sector, const GptHeader& header)
{
    store_u64(sector, 24, header.own_place);
    store_u64(sector, 32, header.place_of_copy);
    store_u64(sector, 48, header.last_usable);
    store_u64(sector, 72, header.entries_at);
    store_u32(sector, 16, computed_crc(sector, header));
    return sector;
}

GptPlan damaged(std::string reason)
{
    return {Outcome::damaged, std::move(reason), {}};
}

// What is wrong with the numbers of the main header in this sector; empty: nothing.
std::string fault_of(const GptHeader& header, const Bytes& sector, std::uint64_t size)
{
    constexpr std::uint64_t smallest_header = 92;
    const std::uint64_t sectors = size / sector.size();
    if (header.size < smallest_header || header.size > sector.size()) {
        return "its header has a wrong size";
    }
    if (computed_crc(sector, header) != header.crc) {
        return "the checksum of its header is wrong";
    }
    if (header.own_place != main_gpt_header) {
        return "its header belongs to another sector";
    }
    if (header.entry_bytes < smallest_gpt_entry || !std::has_single_bit(header.entry_bytes) ||
        header.entry_count == 0 || header.entries_bytes() > largest_entries) {
        return "its entries have a wrong size";
    }
    if (header.entries_at <= main_gpt_header || !gpt_entries(header, size, sector.size())) {
        return "its entries are not on the disk";
    }
    if (header.place_of_copy >= sectors || header.last_usable >= sectors ||
        header.first_usable > header.last_usable) {
        return "it is for a larger disk";
    }
    return {};
}

// The first sector after the last partition. Empty if a partition is invalid.
std::optional<std::uint64_t> end_of_partitions(const GptHeader& header, const Bytes& entries)
{
    std::uint64_t end = header.first_usable;
    for (std::uint64_t at = 0; at < header.entries_bytes(); at += header.entry_bytes) {
        const auto entry = std::span(entries).subspan(at, header.entry_bytes);
        constexpr std::size_t type_bytes = 16;
        if (std::all_of(entry.begin(), entry.begin() + type_bytes,
                        [](std::byte each) { return each == std::byte{0}; })) {
            continue;
        }
        const std::uint64_t first = little_u64(entry, 32);
        const std::uint64_t last = little_u64(entry, 40);
        if (first < header.first_usable || last < first || last > header.last_usable) {
            return std::nullopt;
        }
        end = std::max(end, last + 1);
    }
    return end;
}

constexpr std::size_t mbr_entries = 446;
constexpr std::size_t mbr_entry_bytes = 16;
constexpr std::uint8_t protective_type = 0xee;

std::uint8_t mbr_type(std::span<const std::byte> mbr, std::size_t entry)
{
    return std::to_integer<std::uint8_t>(mbr[mbr_entries + entry * mbr_entry_bytes + 4]);
}

constexpr std::array<std::size_t, 4> mbr_numbers{0, 1, 2, 3};

// The protective MBR with its single entry extended to the whole disk. An MBR with further entries (a hybrid
// one) is returned unchanged: we cannot know what they are for.
Bytes covering_mbr(Bytes mbr, std::uint64_t sectors)
{
    const auto entry = std::find_if(mbr_numbers.begin(), mbr_numbers.end(),
                                    [&](std::size_t each) { return mbr_type(mbr, each) == protective_type; });
    const auto used = std::count_if(mbr_numbers.begin(), mbr_numbers.end(),
                                    [&](std::size_t each) { return mbr_type(mbr, each) != 0; });
    if (used == 1) {
        const std::size_t at = mbr_entries + *entry * mbr_entry_bytes;
        constexpr std::uint64_t most = 0xffffffff;
        std::fill_n(mbr.begin() + static_cast<std::ptrdiff_t>(at + 5), 3, std::byte{0xff}); // its end: no CHS
        store_u32(mbr, at + 12, std::min(sectors - main_gpt_header, most));
    }
    return mbr;
}

} // namespace

std::optional<GptHeader> parse_gpt_header(std::span<const std::byte> sector)
{
    if (!has_text_at(sector, 0, "EFI PART")) {
        return std::nullopt;
    }
    return GptHeader{little_u32(sector, 12), little_u32(sector, 16), little_u64(sector, 24),
                     little_u64(sector, 32), little_u64(sector, 40), little_u64(sector, 48),
                     little_u64(sector, 72), little_u32(sector, 80), little_u32(sector, 84),
                     little_u32(sector, 88)};
}

std::optional<Extent> gpt_entries(const GptHeader& header, std::uint64_t size, std::uint64_t sector_bytes)
{
    const std::uint64_t sectors = size / sector_bytes;
    const std::uint64_t length = (header.entries_bytes() + sector_bytes - 1) / sector_bytes;
    if (header.entries_bytes() > largest_entries || header.entries_at >= sectors ||
        length > sectors - header.entries_at) {
        return std::nullopt;
    }
    return Extent{header.entries_at * sector_bytes, length * sector_bytes};
}

bool has_protective_mbr(std::span<const std::byte> mbr)
{
    constexpr std::uint64_t signature = 0xaa55;
    return little_u16(mbr, 510) == signature &&
           std::any_of(mbr_numbers.begin(), mbr_numbers.end(),
                       [&](std::size_t each) { return mbr_type(mbr, each) == protective_type; });
}

GptPlan plan_gpt_move(const DiskReader& read, std::uint64_t size, std::uint64_t sector_bytes)
{
    const std::uint64_t sectors = size / sector_bytes;
    constexpr std::uint64_t fewest = 6; // MBR, two headers, two sectors of entries, and one usable sector
    if (sectors < fewest) {
        return {};
    }
    const auto mbr = read({0, sector_bytes});
    const auto header_sector = read({main_gpt_header * sector_bytes, sector_bytes});
    if (!mbr || !header_sector) {
        return {Outcome::unreadable, {}, {}};
    }
    const auto header = parse_gpt_header(*header_sector);
    if (!header) {
        return {};
    }
    if (std::string fault = fault_of(*header, *header_sector, size); !fault.empty()) {
        return damaged(std::move(fault));
    }
    const Extent place = *gpt_entries(*header, size, sector_bytes); // checked by fault_of
    const auto entries = read(place);
    if (!entries) {
        return {Outcome::unreadable, {}, {}};
    }
    if (crc32(std::span(*entries).first(header->entries_bytes())) != header->entries_crc) {
        return damaged("the checksum of its entries is wrong");
    }
    const auto end = end_of_partitions(*header, *entries);
    if (!end) {
        return damaged("a partition in it is outside the usable sectors");
    }
    if (!has_protective_mbr(*mbr)) {
        return damaged("there is no protective MBR before it");
    }
    const std::uint64_t copy_at = sectors - 1;
    if (header->place_of_copy == copy_at) {
        return {Outcome::at_the_end, {}, {}};
    }
    const std::uint64_t copied_entries_at = copy_at - place.length / sector_bytes;
    if (std::max(*end, place.end() / sector_bytes) > copied_entries_at) {
        return damaged("there is no room for a copy after its partitions");
    }
    GptHeader main = *header;
    main.place_of_copy = copy_at;
    main.last_usable = copied_entries_at - 1;
    GptHeader copy = main;
    copy.own_place = copy_at;
    copy.place_of_copy = main_gpt_header;
    copy.entries_at = copied_entries_at;
    return {Outcome::movable,
            {},
            {{copied_entries_at * sector_bytes, *entries},
             {copy_at * sector_bytes, moved(*header_sector, copy)},
             {main_gpt_header * sector_bytes, moved(*header_sector, main)},
             {0, covering_mbr(*mbr, sectors)}}};
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/gpt.hpp"

#include "ezio/little_endian.hpp"
#include "ezio/units.hpp"

#include <boost/crc.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <string_view>
#include <utility>

namespace ezio {

namespace {

using Outcome = GptPlan::Outcome;
using Bytes = std::vector<std::byte>;

constexpr std::uint64_t header_at = 1; // in sectors, as all that follows
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

// The sector with a header, by the names of the UEFI specification.
class Header {
  public:
    explicit Header(Bytes sector) : m_sector(std::move(sector)) {}

    [[nodiscard]] bool has_signature() const
    {
        constexpr std::string_view signature = "EFI PART";
        return std::equal(signature.begin(), signature.end(), m_sector.begin(),
                          [](char a, std::byte b) { return static_cast<std::byte>(a) == b; });
    }
    [[nodiscard]] std::uint64_t size() const { return little_u32(m_sector, 12); }
    [[nodiscard]] std::uint64_t crc() const { return little_u32(m_sector, 16); }
    [[nodiscard]] std::uint64_t own_place() const { return little_u64(m_sector, 24); }
    [[nodiscard]] std::uint64_t place_of_copy() const { return little_u64(m_sector, 32); }
    [[nodiscard]] std::uint64_t first_usable() const { return little_u64(m_sector, 40); }
    [[nodiscard]] std::uint64_t last_usable() const { return little_u64(m_sector, 48); }
    [[nodiscard]] std::uint64_t entries_at() const { return little_u64(m_sector, 72); }
    [[nodiscard]] std::uint64_t entry_count() const { return little_u32(m_sector, 80); }
    [[nodiscard]] std::uint64_t entry_bytes() const { return little_u32(m_sector, 84); }
    [[nodiscard]] std::uint64_t entries_crc() const { return little_u32(m_sector, 88); }
    [[nodiscard]] std::uint64_t entries_bytes() const { return entry_count() * entry_bytes(); }
    [[nodiscard]] std::uint64_t entries_sectors() const
    {
        return (entries_bytes() + m_sector.size() - 1) / m_sector.size();
    }

    [[nodiscard]] std::uint32_t computed_crc() const
    {
        Bytes bytes(m_sector.begin(), m_sector.begin() + static_cast<std::ptrdiff_t>(size()));
        store_u32(bytes, 16, 0);
        return crc32(bytes);
    }

    // The same table, told by a header at another place.
    [[nodiscard]] Bytes moved(std::uint64_t own_place, std::uint64_t place_of_copy, std::uint64_t entries_at,
                              std::uint64_t last_usable) const
    {
        Header header(m_sector);
        store_u64(header.m_sector, 24, own_place);
        store_u64(header.m_sector, 32, place_of_copy);
        store_u64(header.m_sector, 48, last_usable);
        store_u64(header.m_sector, 72, entries_at);
        store_u32(header.m_sector, 16, header.computed_crc());
        return std::move(header.m_sector);
    }

  private:
    Bytes m_sector;
};

GptPlan damaged(std::string reason)
{
    return {Outcome::damaged, std::move(reason), {}};
}

// What is wrong with the numbers of a header; empty: nothing.
std::string fault_of(const Header& header, std::uint64_t sectors, std::uint64_t sector_bytes)
{
    constexpr std::uint64_t smallest_header = 92;
    constexpr std::uint64_t smallest_entry = 128;
    if (header.size() < smallest_header || header.size() > sector_bytes) {
        return "its header is of a wrong size";
    }
    if (header.computed_crc() != header.crc()) {
        return "the checksum of its header is wrong";
    }
    if (header.own_place() != header_at) {
        return "its header is for another place";
    }
    if (header.entry_bytes() < smallest_entry || !std::has_single_bit(header.entry_bytes()) ||
        header.entry_count() == 0 || header.entries_bytes() > largest_entries) {
        return "its entries are of a wrong size";
    }
    if (header.entries_at() <= header_at || header.entries_at() >= sectors ||
        header.entries_sectors() > sectors - header.entries_at()) {
        return "its entries are not on the disk";
    }
    if (header.place_of_copy() >= sectors || header.last_usable() >= sectors ||
        header.first_usable() > header.last_usable()) {
        return "it is for a larger disk";
    }
    return {};
}

// The end of the last partition, in sectors: the first one behind it. Empty when a partition makes no sense.
std::optional<std::uint64_t> end_of_partitions(const Header& header, const Bytes& entries)
{
    std::uint64_t end = header.first_usable();
    for (std::uint64_t at = 0; at < header.entries_bytes(); at += header.entry_bytes()) {
        const auto entry = std::span(entries).subspan(at, header.entry_bytes());
        constexpr std::size_t type_bytes = 16;
        if (std::all_of(entry.begin(), entry.begin() + type_bytes,
                        [](std::byte each) { return each == std::byte{0}; })) {
            continue;
        }
        const std::uint64_t first = little_u64(entry, 32);
        const std::uint64_t last = little_u64(entry, 40);
        if (first < header.first_usable() || last < first || last > header.last_usable()) {
            return std::nullopt;
        }
        end = std::max(end, last + 1);
    }
    return end;
}

constexpr std::size_t mbr_entries = 446;
constexpr std::size_t mbr_entry_bytes = 16;
constexpr std::uint8_t protective_type = 0xee;

std::uint8_t mbr_type(const Bytes& mbr, std::size_t entry)
{
    return std::to_integer<std::uint8_t>(mbr[mbr_entries + entry * mbr_entry_bytes + 4]);
}

// The sector with an MBR whose one entry covers the disk. One with further entries, a hybrid one, stays as it
// is: what they cover is not for us to say. Empty: it protects nothing.
std::optional<Bytes> protective_mbr(Bytes mbr, std::uint64_t sectors)
{
    constexpr std::array<std::size_t, 4> entries{0, 1, 2, 3};
    const auto count = [&](auto matches) { return std::count_if(entries.begin(), entries.end(), matches); };
    const auto is_protective = [&](std::size_t entry) { return mbr_type(mbr, entry) == protective_type; };
    const auto is_used = [&](std::size_t entry) { return mbr_type(mbr, entry) != 0; };
    if (little_u16(mbr, 510) != 0xaa55 || count(is_protective) == 0) {
        return std::nullopt;
    }
    const std::size_t entry = *std::find_if(entries.begin(), entries.end(), is_protective);
    if (count(is_used) == 1) {
        const std::size_t at = mbr_entries + entry * mbr_entry_bytes;
        constexpr std::uint64_t most = 0xffffffff;
        std::fill_n(mbr.begin() + static_cast<std::ptrdiff_t>(at + 5), 3, std::byte{0xff}); // its end: no CHS
        store_u32(mbr, at + 12, std::min(sectors - header_at, most));
    }
    return mbr;
}

} // namespace

GptPlan plan_gpt_move(const DiskReader& read, std::uint64_t size, std::uint64_t sector_bytes)
{
    const std::uint64_t sectors = size / sector_bytes;
    constexpr std::uint64_t fewest = 6; // MBR, twice a header and a sector of entries, and one to use
    if (sectors < fewest) {
        return {};
    }
    const auto mbr = read({0, sector_bytes});
    const auto header_sector = read({header_at * sector_bytes, sector_bytes});
    if (!mbr || !header_sector) {
        return {Outcome::unreadable, {}, {}};
    }
    const Header header(*header_sector);
    if (!header.has_signature()) {
        return {};
    }
    if (std::string fault = fault_of(header, sectors, sector_bytes); !fault.empty()) {
        return damaged(std::move(fault));
    }
    const auto entries = read({header.entries_at() * sector_bytes, header.entries_sectors() * sector_bytes});
    if (!entries) {
        return {Outcome::unreadable, {}, {}};
    }
    if (crc32(std::span(*entries).first(header.entries_bytes())) != header.entries_crc()) {
        return damaged("the checksum of its entries is wrong");
    }
    const auto end = end_of_partitions(header, *entries);
    if (!end) {
        return damaged("a partition in it is not where partitions may be");
    }
    auto protecting = protective_mbr(*mbr, sectors);
    if (!protecting) {
        return damaged("no protective MBR is in front of it");
    }
    const std::uint64_t copy_at = sectors - 1;
    if (header.place_of_copy() == copy_at) {
        return {Outcome::at_the_end, {}, {}};
    }
    const std::uint64_t copied_entries_at = copy_at - header.entries_sectors();
    if (std::max(*end, header.entries_at() + header.entries_sectors()) > copied_entries_at) {
        return damaged("there is no room for a copy behind its partitions");
    }
    const std::uint64_t last_usable = copied_entries_at - 1;
    return {Outcome::movable,
            {},
            {{copied_entries_at * sector_bytes, *entries},
             {copy_at * sector_bytes, header.moved(copy_at, header_at, copied_entries_at, last_usable)},
             {header_at * sector_bytes, header.moved(header_at, copy_at, header.entries_at(), last_usable)},
             {0, std::move(*protecting)}}};
}

} // namespace ezio

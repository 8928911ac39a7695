// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/lvm_label.hpp"

#include "ezio/util/byte_order.hpp"
#include "ezio/util/positional_io.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace ezio {

namespace {

constexpr std::uint64_t lvm_sector = 512;

// Of `area`; false where it ends before, or cannot be read.
bool read_within(int fd, const Extent& area, std::uint64_t offset, std::span<std::byte> bytes)
{
    iovec part{bytes.data(), bytes.size()};
    return offset <= area.length && bytes.size() <= area.length - offset &&
           (bytes.empty() || read_fully(fd, std::span(&part, 1), area.offset + offset) == 0);
}

// The entries of a list that ends with an entry of zeros; `at` is then after that. Empty if the sector ends
// before.
std::optional<std::vector<Extent>> take_list(std::span<const std::byte, lvm_sector> label, std::size_t& at)
{
    std::vector<Extent> entries;
    for (; at + 16 <= label.size(); at += 16) {
        const Extent entry{little_u64(label, at), little_u64(label, at + 8)};
        if (entry.offset == 0) {
            at += 16;
            return entries;
        }
        entries.push_back(entry);
    }
    return std::nullopt;
}

// Parses the label's sector: the label header, then the physical volume's header with UUID, size, the list of
// data areas, and the list of metadata areas.
std::vector<Extent> areas_in(std::span<const std::byte, lvm_sector> label)
{
    constexpr std::size_t lists = 40; // after UUID and size
    if (!has_text_at(label, 0, "LABELONE") || !has_text_at(label, 24, "LVM2 001")) {
        return {};
    }
    std::size_t at = little_u32(label, 20) + lists;
    if (at > label.size() || !take_list(label, at)) {
        return {};
    }
    return take_list(label, at).value_or(std::vector<Extent>());
}

// The first `length` bytes of the text in a metadata area; at the end of the area it continues after the
// header. Empty if there is none.
std::string beginning_of_text(int fd, const Extent& area, const Extent& metadata, std::size_t length)
{
    constexpr std::uint64_t ignored = 1; // flag: the metadata is on other physical volumes
    std::array<std::byte, lvm_sector> header{};
    if (!read_within(fd, area, metadata.offset, header) || !has_text_at(header, 4, " LVM2 x[5A%r0N*>")) {
        return {};
    }
    const std::uint64_t offset = little_u64(header, 40);
    const std::uint64_t size = little_u64(header, 48);
    if (offset < lvm_sector || offset >= metadata.length || (little_u32(header, 60) & ignored) != 0) {
        return {};
    }
    std::string text(std::min<std::uint64_t>(length, size), '\0');
    const auto bytes = std::as_writable_bytes(std::span(text));
    const std::size_t to_end = std::min<std::uint64_t>(bytes.size(), metadata.length - offset);
    const bool is_read = read_within(fd, area, metadata.offset + offset, bytes.first(to_end)) &&
                         read_within(fd, area, metadata.offset + lvm_sector, bytes.subspan(to_end));
    return is_read ? text : "";
}

// The text begins with: vg0 { id = "6Q0z2R-7O73-...", each on its own line.
std::optional<VolumeGroup> group_in(std::string_view text)
{
    constexpr std::string_view behind_name = " {";
    constexpr std::string_view before_uuid = "id = \"";
    const std::size_t name_end = text.find(behind_name);
    const std::size_t uuid_begin = text.find(before_uuid);
    if (name_end == std::string_view::npos || uuid_begin == std::string_view::npos || uuid_begin < name_end) {
        return std::nullopt;
    }
    const std::string_view rest = text.substr(uuid_begin + before_uuid.size());
    return VolumeGroup{std::string(text.substr(0, name_end)),
                       without_dashes(std::string(rest.substr(0, rest.find('"'))))};
}

} // namespace

std::string without_dashes(std::string uuid)
{
    std::erase(uuid, '-');
    return uuid;
}

std::vector<Extent> lvm_metadata_areas(int fd, const Extent& area)
{
    constexpr std::uint64_t sectors = 4;
    std::array<std::byte, lvm_sector> label{};
    std::vector<Extent> found;
    for (std::uint64_t i = 0; i < sectors && found.empty() && read_within(fd, area, i * lvm_sector, label);
         ++i) {
        found = areas_in(label);
    }
    std::vector<Extent> within;
    for (const Extent& each : found) {
        if (each.length != 0 && each.offset < area.length) {
            within.push_back({each.offset, std::min(each.length, area.length - each.offset)});
        }
    }
    return within;
}

std::optional<VolumeGroup> volume_group_on(int fd, const Extent& area)
{
    constexpr std::size_t enough = lvm_sector; // for the longest name (127 bytes) and the UUID after it
    for (const Extent& metadata : lvm_metadata_areas(fd, area)) {
        if (auto group = group_in(beginning_of_text(fd, area, metadata, enough))) {
            return group;
        }
    }
    return std::nullopt;
}

} // namespace ezio

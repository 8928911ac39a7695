// SPDX-License-Identifier: GPL-2.0-or-later
//
// Each row of the report describes a run of extents of one physical volume, and names the logical volume that
// uses them, or none ("free"). Fields that repeat in several rows (those of the physical volume and of the
// logical volume) are taken from the first row that has them.
#include "lvm_report.hpp"

#include "ezio/disk/lvm_label.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace ezio {

namespace {

constexpr std::array<const char*, 19> fields{
    "pv_name", "pv_uuid", "pv_missing",     "pv_in_use",   "pv_mda_used_count", "pe_start", "pv_pe_count",
    "vg_name", "vg_uuid", "vg_extent_size", "pvseg_start", "pvseg_size",        "lv_uuid",  "lv_full_name",
    "lv_attr", "lv_role", "lv_size",        "segtype",     "seg_start_pe"};

Error senseless(const std::string& why)
{
    return {ExitStatus::target, fmt::format("the report of LVM2 is inconsistent: {}", why)};
}

class Row {
  public:
    explicit Row(const nlohmann::json& row) : m_row(row) {}

    [[nodiscard]] std::string text(const char* field) const
    {
        const auto found = m_row.find(field);
        if (found == m_row.end() || !found->is_string()) {
            throw senseless(fmt::format("it lacks {}", field));
        }
        return found->get<std::string>();
    }

    [[nodiscard]] std::uint64_t number(const char* field) const
    {
        const auto value = parse_number<std::uint64_t>(text(field));
        if (!value || *value > largest_offset) {
            throw senseless(fmt::format("its {} is '{}'", field, text(field)));
        }
        return *value;
    }

    // A number of extents, converted to bytes.
    [[nodiscard]] std::uint64_t extents(const char* field) const
    {
        const std::uint64_t count = number(field);
        const std::uint64_t extent = number("vg_extent_size");
        if (extent != 0 && count > largest_offset / 2 / extent) {
            throw senseless(fmt::format("its {} is '{}'", field, text(field)));
        }
        return count * extent;
    }

    [[nodiscard]] std::uint64_t data_begin() const
    {
        const std::uint64_t begin = number("pe_start");
        if (begin > largest_offset / 2) {
            throw senseless(fmt::format("its pe_start is '{}'", text("pe_start")));
        }
        return begin;
    }

  private:
    const nlohmann::json& m_row;
};

// "private,thin,pool,data" as "thin, pool, data"; the kind of segment if the layout is only "public". A
// volume with snapshots is an origin, because they read data from it that it may itself count as free.
std::string kind_of(const Row& row)
{
    const std::string role = row.text("lv_role");
    const std::string segment = row.text("segtype");
    const std::string attributes = row.text("lv_attr");
    const bool is_plain = role == "public" && attributes.starts_with('-');
    if (is_plain) {
        return segment == "linear" ? "" : segment;
    }
    std::string kind;
    for (std::size_t begin = 0; begin <= role.size();) {
        const std::size_t end = std::min(role.find(',', begin), role.size());
        const std::string word = role.substr(begin, end - begin);
        if (word != "public" && word != "private" && !word.empty()) {
            kind += (kind.empty() ? "" : ", ") + word;
        }
        begin = end + 1;
    }
    return kind.empty() ? segment : kind;
}

PhysicalVolume physical_volume(const Row& row)
{
    PhysicalVolume volume;
    volume.device = row.text("pv_name");
    volume.uuid = row.text("pv_uuid");
    volume.group = row.text("vg_name");
    volume.missing = !row.text("pv_missing").empty();
    volume.metadata_missing =
        volume.group.empty() && (!row.text("pv_in_use").empty() || row.number("pv_mda_used_count") == 0);
    volume.data_begin = row.data_begin();
    volume.data_end = volume.data_begin + row.extents("pv_pe_count");
    return volume;
}

LogicalVolume logical_volume(const Row& row)
{
    LogicalVolume volume;
    volume.name = row.text("lv_full_name");
    volume.dm_uuid = "LVM-" + without_dashes(row.text("vg_uuid")) + without_dashes(row.text("lv_uuid"));
    volume.size = row.number("lv_size");
    volume.kind = kind_of(row);
    return volume;
}

// The element with the UUID of `volume`, or a copy of `volume` that is appended.
template <typename Volume>
Volume& find_or_add(std::vector<Volume>& volumes, std::string Volume::*uuid, const Volume& volume)
{
    const auto found = std::find_if(volumes.begin(), volumes.end(),
                                    [&](const Volume& each) { return each.*uuid == volume.*uuid; });
    return found != volumes.end() ? *found : volumes.emplace_back(volume);
}

void add(const Row& row, LvmReport& report)
{
    PhysicalVolume& physical = find_or_add(report.physical, &PhysicalVolume::uuid, physical_volume(row));
    const Extent extent{physical.data_begin + row.extents("pvseg_start"), row.extents("pvseg_size")};
    if (extent.end() > physical.data_end) {
        throw senseless(fmt::format("extents of {} are beyond its end", physical.device));
    }
    if (row.text("lv_uuid").empty()) {
        physical.free_bytes += extent.length;
        return;
    }
    const LogicalVolume wanted = logical_volume(row);
    LogicalVolume& logical = find_or_add(report.logical, &LogicalVolume::dm_uuid, wanted);
    if (logical.kind.empty()) {
        logical.kind = wanted.kind; // one segment of another kind decides
    }
    logical.parts.push_back({physical.uuid, row.extents("seg_start_pe"), extent});
}

bool touch(const VolumePart& one, const VolumePart& next)
{
    return one.physical == next.physical && one.extent.end() == next.extent.offset &&
           one.offset + one.extent.length == next.offset;
}

void put_in_order(LogicalVolume& volume)
{
    std::stable_sort(volume.parts.begin(), volume.parts.end(),
                     [](const VolumePart& a, const VolumePart& b) { return a.offset < b.offset; });
    std::vector<VolumePart> merged;
    for (const VolumePart& part : volume.parts) {
        if (!merged.empty() && touch(merged.back(), part)) {
            merged.back().extent.length += part.extent.length;
        } else {
            merged.push_back(part);
        }
    }
    volume.parts = std::move(merged);
}

// The parts of a linear volume must not overlap, so that its bytes are its own.
void refuse_overlapping(const LogicalVolume& volume)
{
    std::uint64_t end = 0;
    for (const VolumePart& part : volume.parts) {
        if (volume.kind.empty() && part.offset < end) {
            throw senseless(fmt::format("segments of {} overlap", volume.name));
        }
        end = part.offset + part.extent.length;
    }
    if (volume.kind.empty() && end > volume.size) {
        throw senseless(fmt::format("segments of {} are beyond its end", volume.name));
    }
}

} // namespace

std::uint64_t LogicalVolume::length_of_parts() const
{
    std::uint64_t length = 0;
    for (const VolumePart& part : parts) {
        length += part.extent.length;
    }
    return length;
}

std::string lvm_report_fields()
{
    return fmt::format("{}", fmt::join(fields, ","));
}

LvmReport parse_lvm_report(std::string_view json)
{
    LvmReport report;
    try {
        const auto parsed = nlohmann::json::parse(json);
        for (const auto& part : parsed.at("report")) {
            for (const auto& row : part.at("pvseg")) {
                add(Row(row), report);
            }
        }
    } catch (const nlohmann::json::exception& error) {
        throw senseless(error.what());
    }
    for (LogicalVolume& volume : report.logical) {
        put_in_order(volume);
        refuse_overlapping(volume);
    }
    return report;
}

std::string last_place_of(const std::string& uuid, std::string_view errors)
{
    constexpr std::string_view words = "(last written to ";
    const std::size_t named = errors.find(uuid);
    const std::size_t begin = named == std::string_view::npos ? named : errors.find(words, named);
    if (begin == std::string_view::npos || errors.find('\n', named) < begin) {
        return {};
    }
    const std::string_view rest = errors.substr(begin + words.size());
    const std::size_t end = rest.find(')');
    return end == std::string_view::npos ? "" : std::string(rest.substr(0, end));
}

} // namespace ezio

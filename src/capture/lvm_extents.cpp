// SPDX-License-Identifier: GPL-2.0-or-later
#include "lvm_extents.hpp"

#include "ezio/disk/lvm_label.hpp"
#include "ezio/source/disk_layout.hpp"
#include "ezio/source/loop_view.hpp"
#include "ezio/target/device_tree.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/file_id.hpp"
#include "ezio/util/text.hpp"
#include "ezio/util/units.hpp"
#include "lvm_tool.hpp"
#include "volume_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace ezio {

namespace {

// The number of the block device that the area fills; 0: it is only a part of one, or of a file.
dev_t device_of(const SourceDisk& disk, const Area& area)
{
    const bool is_all = area.offset == 0 && area.size == disk.size;
    return area.partition != 0 || !is_all ? area.partition : disk.device;
}

// The device by which LVM2 finds a physical volume: a loop device if it has no other.
struct VolumeDevice {
    std::string path;
    LoopView view{};
};

VolumeDevice make_device(const SourceDisk& disk, const Area& area)
{
    const dev_t device = device_of(disk, area);
    const std::string path = device != 0 ? device_path(device) : "";
    if (lvm_can_name(path) && file_id(path) == file_id_of_device(device)) {
        return {path};
    }
    VolumeDevice made;
    made.view = show_read_only(disk.fd.get(), {area.offset, area.size}, area.path);
    made.path = made.view.path;
    return made;
}

// The device mapper's UUID of the device; empty if it is not a device-mapper device.
std::string dm_uuid_of(dev_t device)
{
    return first_line_of(sysfs_of(device) + "/dm/uuid");
}

class Finder {
  public:
    Finder(const SourceDisk& disk, const std::vector<Area>& areas, std::uint64_t memory, Reporter& reporter,
           const LookIntoVolume& look_into, const std::function<void()>& tick)
        : m_disk(disk), m_areas(areas), m_memory(memory), m_reporter(reporter), m_look_into(look_into),
          m_tick(tick)
    {}

    LvmExtents find();

  private:
    void note_metadata();
    [[nodiscard]] bool ask();
    void place(std::size_t index);
    void warn_of_missing() const;
    void add_volume(const LogicalVolume& volume);
    [[nodiscard]] std::optional<SourceDisk> open_active(const LogicalVolume& volume) const;
    [[nodiscard]] SourceDisk open_piece(const LogicalVolume& volume, const Extent& piece) const;
    void look_into(const LogicalVolume& volume, const SourceDisk& source);
    void take_whole(const LogicalVolume& volume, const std::string& why);
    void warn_of_whole_volumes() const;
    void add_around(std::size_t index);
    void add(const std::vector<PlacedExtent>& extents);

    const SourceDisk& m_disk;
    const std::vector<Area>& m_areas;
    const std::uint64_t m_memory;
    Reporter& m_reporter;
    const LookIntoVolume& m_look_into;
    const std::function<void()>& m_tick;

    LvmExtents m_found;
    LvmAnswer m_answer;
    std::vector<std::string> m_paths;              // parallel to m_areas: LVM2's names
    std::vector<const PhysicalVolume*> m_physical; // parallel, in m_answer; null if there is a flaw
    VolumePlaces m_places;                         // without those with a flaw
    std::vector<std::string> m_whole;              // logical volumes taken whole, and why
    std::uint64_t m_whole_bytes = 0;
};

LvmExtents Finder::find()
{
    m_found.physical.resize(m_areas.size());
    m_physical.resize(m_areas.size());
    note_metadata(); // before it is examined, because it may change meanwhile
    if (!ask()) {
        return std::move(m_found);
    }
    for (std::size_t i = 0; i < m_areas.size(); ++i) {
        place(i);
    }
    warn_of_missing();
    for (const LogicalVolume& volume : m_answer.report.logical) {
        add_volume(volume);
    }
    warn_of_whole_volumes();
    for (std::size_t i = 0; i < m_areas.size(); ++i) {
        if (m_physical[i] != nullptr) {
            add_around(i);
        }
    }
    return std::move(m_found);
}

// The first bytes of a physical volume include the header of its metadata area, which points to the current
// text in the area. Every change of the metadata changes this header.
void Finder::note_metadata()
{
    for (const Area& area : m_areas) {
        const Extent beginning{area.offset, std::min(area.size, 1_MiB)};
        m_found.metadata.push_back(note_bytes(m_disk.fd.get(), m_disk.path, beginning,
                                              fmt::format("the metadata of LVM2 on {}", area.path)));
    }
}

// Returns false, with a flaw for all areas, if LVM2 cannot be asked.
bool Finder::ask()
{
    try {
        std::vector<VolumeDevice> devices; // kept until it has answered
        for (const Area& area : m_areas) {
            devices.push_back(make_device(m_disk, area));
            m_paths.push_back(devices.back().path);
        }
        m_answer = ask_lvm(m_paths, m_memory, m_tick);
        return true;
    } catch (const Error& error) {
        if (error.status() != ExitStatus::target) {
            throw;
        }
        for (PhysicalVolumeExtents& each : m_found.physical) {
            each.flaw = error.what();
        }
        return false;
    }
}

void Finder::place(std::size_t index)
{
    const auto& all = m_answer.report.physical;
    const auto found = std::find_if(all.begin(), all.end(), [&](const PhysicalVolume& each) {
        return !each.missing && each.device == m_paths[index];
    });
    std::string& flaw = m_found.physical[index].flaw;
    if (found == all.end()) {
        const std::string reason = lvm_reason_in(m_answer.errors);
        flaw = "LVM2 knows no physical volume there" + (reason.empty() ? "" : ": " + reason);
    } else if (found->metadata_missing) {
        flaw = "its volume group is described elsewhere, or by metadata that is damaged";
    } else if (found->data_end > m_areas[index].size) {
        flaw = fmt::format("its last extent ends at byte {} of {}", found->data_end, m_areas[index].size);
    } else {
        m_physical[index] = &*found;
        m_places[found->uuid] = {index, m_areas[index].offset};
    }
}

void Finder::warn_of_missing() const
{
    std::set<std::string> groups;
    for (const PhysicalVolume* here : m_physical) {
        if (here != nullptr && !here->group.empty()) {
            groups.insert(here->group);
        }
    }
    for (const std::string& group : groups) {
        std::vector<std::string> missing;
        for (const PhysicalVolume& each : m_answer.report.physical) {
            if (each.group == group && !m_places.contains(each.uuid)) {
                const std::string place = last_place_of(each.uuid, m_answer.errors);
                missing.push_back(place.empty() ? each.uuid : fmt::format("{} ({})", each.uuid, place));
            }
        }
        if (!missing.empty()) {
            m_reporter.warning(fmt::format("the volume group {} also needs physical volumes that are not in "
                                           "the image: {}",
                                           group, fmt::join(missing, ", ")));
        }
    }
}

void Finder::add_volume(const LogicalVolume& volume)
{
    if (parts_on(m_places, volume).empty()) {
        return;
    }
    if (!volume.kind.empty()) {
        take_whole(volume, volume.kind);
        return;
    }
    if (!is_complete(m_places, volume)) {
        take_whole(volume, "not all of it is in the image");
        return;
    }
    if (const auto active = open_active(volume)) {
        look_into(volume, *active);
        return;
    }
    const auto piece = one_piece(m_places, volume);
    if (!piece) {
        take_whole(volume, fmt::format("in {} pieces; activate it for its used blocks: lvchange -ay {}",
                                       volume.parts.size(), volume.name));
        return;
    }
    std::optional<SourceDisk> shown;
    try {
        shown = open_piece(volume, *piece);
    } catch (const Error& error) { // if there are no loop devices
        take_whole(volume, error.what());
        return;
    }
    look_into(volume, *shown);
}

// Identified by UUID, because a copy of the disk, or another volume group, may have the same name.
std::optional<SourceDisk> Finder::open_active(const LogicalVolume& volume) const
{
    const auto& first = m_areas[m_places.at(volume.parts.front().physical).index];
    for (const dev_t holder : holders_of(device_of(m_disk, first))) {
        if (dm_uuid_of(holder) != volume.dm_uuid) {
            continue;
        }
        SourceDisk source = open_source_disk(device_path(holder));
        if (source.device == holder && source.size == volume.size) {
            source.path = "logical volume " + volume.name;
            return source;
        }
    }
    return std::nullopt;
}

SourceDisk Finder::open_piece(const LogicalVolume& volume, const Extent& piece) const
{
    SourceDisk source;
    source.path = "logical volume " + volume.name;
    LoopView view = show_read_only(m_disk.fd.get(), piece, source.path);
    source.fd = std::move(view.fd);
    source.size = volume.size;
    source.is_device = true;
    source.device = view.device;
    return source;
}

void Finder::look_into(const LogicalVolume& volume, const SourceDisk& source)
{
    const VolumeContents contents = m_look_into(source, Area{source.path, 0, source.size});
    add(placed(m_places, volume, contents.extents));
    const auto piece = one_piece(m_places, volume);
    m_found.volumes.push_back(
        {volume.name, contents.type, volume.size, total_length(contents.extents), piece ? piece->offset : 0});
}

void Finder::take_whole(const LogicalVolume& volume, const std::string& why)
{
    const auto parts = parts_on(m_places, volume);
    add(parts);
    std::uint64_t bytes = 0;
    for (const PlacedExtent& part : parts) {
        bytes += part.extent.length;
    }
    m_whole.push_back(fmt::format("{} ({})", volume.name, why));
    m_whole_bytes += bytes;
    m_found.volumes.push_back({volume.name, "", volume.size, bytes});
}

void Finder::warn_of_whole_volumes() const
{
    if (!m_whole.empty()) {
        m_reporter.warning(fmt::format("{}: every byte of these logical volumes, {}, is in the image: {}",
                                       m_disk.path, format_bytes(m_whole_bytes), fmt::join(m_whole, ", ")));
    }
}

void Finder::add_around(std::size_t index)
{
    const Area& area = m_areas[index];
    const PhysicalVolume& physical = *m_physical[index];
    auto& extents = m_found.physical[index].extents;
    extents.push_back({0, physical.data_begin});
    extents.push_back(tail_of(area.size));
    for (const Extent& metadata : lvm_metadata_areas(m_disk.fd.get(), {area.offset, area.size})) {
        extents.push_back(metadata);
    }
    if (physical.group.empty()) {
        m_reporter.warning(fmt::format(
            "{} is an LVM2 physical volume without a volume group: only its metadata area is in the image",
            area.path));
    } else {
        const auto rest = carried_rest(area, physical.data_end, m_reporter);
        extents.insert(extents.end(), rest.begin(), rest.end());
        m_reporter.note(fmt::format("{}: {} of the volume group {} are in no logical volume, and not in the "
                                    "image",
                                    area.path, format_bytes(physical.free_bytes), physical.group));
    }
    extents = united(std::move(extents));
}

void Finder::add(const std::vector<PlacedExtent>& extents)
{
    for (const PlacedExtent& each : extents) {
        m_found.physical[each.index].extents.push_back(each.extent);
    }
}

} // namespace

LvmExtents lvm_extents(const SourceDisk& disk, const std::vector<Area>& areas, std::uint64_t memory,
                       Reporter& reporter, const LookIntoVolume& look_into, const std::function<void()>& tick)
{
    return Finder(disk, areas, memory, reporter, look_into, tick).find();
}

} // namespace ezio

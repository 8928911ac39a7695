// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/capture/image_source.hpp"

#include "ezio/capture/partclone_info.hpp"
#include "ezio/disk/lvm_label.hpp"
#include "ezio/disk/recognition.hpp"
#include "ezio/process/subprocess.hpp"
#include "ezio/source/disk_layout.hpp"
#include "ezio/source/file_system_extents.hpp"
#include "ezio/source/partclone.hpp"
#include "ezio/source/source_disk.hpp"
#include "ezio/target/block_device.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/read_file.hpp"
#include "gpt_records.hpp"
#include "lvm_extents.hpp"
#include "lvm_tool.hpp"
#include "partition_records.hpp"
#include "partition_types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

namespace ezio {

namespace {

Error refused(const std::string& message)
{
    return {ExitStatus::target, message};
}

// Why there is no map of used blocks, with a remedy.
std::string advice_for(const std::string& path, const std::string& type)
{
    constexpr const char* or_all = "or take every byte with --all";
    if (type.empty()) {
        return fmt::format("no file system is known on {}; take every byte with --all", path);
    }
    if (type == "swap" || type == "swsuspend") {
        return fmt::format(
            "{} is swap space: there is nothing on it to deploy; run mkswap on the targets, {}", path,
            or_all);
    }
    if (type == "crypto_LUKS" || type == "BitLocker") {
        return fmt::format("{} is encrypted ({}): open it and create from the device in /dev/mapper, {}",
                           path, type, or_all);
    }
    if (type == lvm_type || type == "LVM1_member") {
        return fmt::format("{} is an LVM physical volume: create from each of its logical volumes, {}", path,
                           or_all);
    }
    if (type.ends_with("_raid_member")) {
        return fmt::format("{} is a member of a RAID ({}): create from the array, {}", path, type, or_all);
    }
    return fmt::format("partclone does not know the file system on {}, {}; take every byte with --all", path,
                       type);
}

class ExtentFinder {
  public:
    ExtentFinder(const SourceDisk& disk, const SourceOptions& options, Reporter& reporter, StopSignal& stop)
        : m_disk(disk), m_options(options), m_reporter(reporter), m_stop(stop)
    {}

    // Sets extents, volumes and metadata.
    void find(ImageSource& source);
    [[nodiscard]] std::uint64_t sector_bytes() const;

  private:
    struct Part {
        Partition partition;
        Area area;
        DiskContents contents; // empty for a container, or if the partition's type is enough
        std::optional<PhysicalVolumeExtents> physical{}; // set if it is a physical volume
    };

    std::vector<Extent> of_source();
    [[nodiscard]] std::uint64_t sector_of_device() const;
    std::vector<Extent> of_listed_extents();
    std::vector<Extent> of_whole_disk(const PartitionTable& table);
    [[nodiscard]] std::vector<Part> parts_of(const PartitionTable& table) const;
    [[nodiscard]] Area area_of(const Partition& partition, const std::vector<PartitionDevice>& devices) const;
    [[nodiscard]] std::vector<Extent> of_partition(const Part& part) const;
    [[nodiscard]] std::vector<Extent> of_contents(const SourceDisk& disk, const Area& area,
                                                  const DiskContents& contents) const;
    [[nodiscard]] std::vector<Extent> of_swap(const SourceDisk& disk, const Area& area) const;
    [[nodiscard]] std::vector<Extent> of_file_system(const SourceDisk& disk, const Area& area,
                                                     const std::string& type) const;
    [[nodiscard]] std::vector<PhysicalVolumeExtents> of_physical_volumes(const std::vector<Area>& areas);
    [[nodiscard]] VolumeContents of_logical_volume(const SourceDisk& volume, const Area& area) const;
    void find_physical_volumes(std::vector<Part>& parts);
    [[nodiscard]] std::vector<Extent> of_physical_volume(const Area& area);
    void warn_of_large_gaps(const std::vector<Extent>& extents, const PartitionTable& table) const;
    void tick() const; // called several times a second during long operations

    const SourceDisk& m_disk;
    const SourceOptions& m_options;
    Reporter& m_reporter;
    StopSignal& m_stop;
    const Clock::time_point m_started = Clock::now();
    std::vector<VolumeUse> m_volumes;
    std::vector<SteadyBytes> m_metadata;
};

void ExtentFinder::find(ImageSource& source)
{
    source.extents = of_source();
    source.volumes = std::move(m_volumes);
    source.metadata = std::move(m_metadata);
}

std::vector<Extent> ExtentFinder::of_source()
{
    if (m_options.all) {
        return m_options.skip_holes ? data_extents(m_disk) : std::vector<Extent>{{0, m_disk.size}};
    }
    if (!m_options.extents.empty()) {
        return of_listed_extents();
    }
    const Area area{m_disk.path, 0, m_disk.size};
    if (const auto content = several_volumes_in(type_of_partition(m_disk.fd.get())); !content.empty()) {
        return every_byte(area, std::string(content), m_reporter);
    }
    const DiskContents contents = look_at_contents(m_disk.fd.get(), m_disk.path, 0, m_disk.size);
    if (!contents.has_partitions() && contents.type.empty()) {
        const std::string fault = gpt_fault(m_disk, sector_of_device());
        throw refused(fault.empty() ? advice_for(m_disk.path, "") : fault);
    }
    if (contents.has_partitions() && is_of_discs(contents.type)) {
        throw refused(fmt::format("{} is a disc image ({}) that also has a partition table ({}), to boot "
                                  "from USB sticks: take every byte with --all",
                                  m_disk.path, contents.type, contents.table->type));
    }
    if (contents.has_partitions() && !contents.type.empty()) {
        throw refused(fmt::format("{} has a partition table ({}) and signatures of {}; erase the stale one "
                                  "(see wipefs -n {}), or take every byte with --all",
                                  m_disk.path, contents.table->type, contents.type, m_disk.path));
    }
    if (contents.has_partitions()) {
        return of_whole_disk(*contents.table);
    }
    if (contents.type == lvm_type) {
        return of_physical_volume(area);
    }
    if (partclone_program(contents.type).empty()) {
        throw refused(advice_for(m_disk.path, contents.type));
    }
    return of_file_system(m_disk, area, contents.type);
}

// See ImageSource. In a file only a GPT with sectors of 512 bytes is recognized; an MBR does not state its
// sector size.
std::uint64_t ExtentFinder::sector_bytes() const
{
    const std::string table = partition_table_type(m_disk.fd.get(), m_disk.path, m_disk.size);
    if (table.empty() || (!m_disk.is_device && table != "gpt")) {
        return 0;
    }
    return sector_of_device();
}

std::uint64_t ExtentFinder::sector_of_device() const
{
    return m_disk.is_device ? sector_size(m_disk.fd, m_disk.path) : 512;
}

std::vector<Extent> ExtentFinder::of_listed_extents()
{
    const std::string& list = m_options.extents;
    const std::string text = read_file(list, m_options.memory);
    std::vector<Extent> extents;
    if (looks_like_partclone_info(text)) {
        extents = united(parse_partclone_info(text, list).extents);
    } else {
        DdrescueMap map = parse_ddrescue_map(text, list);
        if (map.unread_bytes > 0) {
            m_reporter.warning(fmt::format("{} says that {} bytes have not been read; the image lacks them",
                                           list, map.unread_bytes));
        }
        extents = std::move(map.used);
    }
    if (extents.empty()) {
        throw Error(ExitStatus::torrent, fmt::format("{}: no block in it is used (+)", list));
    }
    if (extents.back().end() > m_disk.size) {
        throw refused(fmt::format("{} has {} bytes, but the extents in {} end at {}", m_disk.path,
                                  m_disk.size, list, extents.back().end()));
    }
    return extents;
}

std::vector<Extent> ExtentFinder::of_whole_disk(const PartitionTable& table)
{
    if (!m_disk.is_device) {
        throw refused(
            fmt::format("{} is the image of a whole disk: attach it (losetup --find --show --partscan "
                        "--read-only {}) and create from that device, or take every byte with --all",
                        m_disk.path, m_disk.path));
    }
    std::vector<UsedPartition> partitions;
    for (const Partition& partition : table.partitions) {
        partitions.push_back({partition, {}});
    }
    (void)disk_extents(m_disk.path, m_disk.size, partitions); // refuse a wrong table first
    std::vector<Part> parts = parts_of(table);
    find_physical_volumes(parts);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        partitions[i].used = of_partition(parts[i]);
    }
    auto extents = disk_extents(m_disk.path, m_disk.size, std::move(partitions));
    const auto records = partition_records(m_disk, table, sector_of_device());
    extents.insert(extents.end(), records.begin(), records.end());
    extents = united(std::move(extents));
    warn_of_large_gaps(extents, table);
    return extents;
}

// With the path of the partition's device, if the kernel has one.
Area ExtentFinder::area_of(const Partition& partition, const std::vector<PartitionDevice>& devices) const
{
    const auto device = std::find_if(devices.begin(), devices.end(), [&](const PartitionDevice& each) {
        return each.start == partition.start && each.size == partition.size;
    });
    const bool has_device = device != devices.end();
    return {has_device ? device->path : fmt::format("partition {} of {}", partition.number, m_disk.path),
            partition.start, partition.size, has_device ? device->device : 0};
}

std::vector<ExtentFinder::Part> ExtentFinder::parts_of(const PartitionTable& table) const
{
    const auto devices = partition_devices(m_disk.device);
    std::vector<Part> parts;
    for (const Partition& partition : table.partitions) {
        Part part{partition, area_of(partition, devices), {}};
        if (!partition.is_container && several_volumes_in(partition.type).empty()) {
            part.contents =
                look_at_contents(m_disk.fd.get(), part.area.path, part.area.offset, part.area.size);
        }
        parts.push_back(std::move(part));
    }
    return parts;
}

std::vector<Extent> ExtentFinder::of_partition(const Part& part) const
{
    if (part.partition.is_container) {
        return {};
    }
    if (const auto content = several_volumes_in(part.partition.type); !content.empty()) {
        return every_byte(part.area, std::string(content), m_reporter);
    }
    if (!part.physical) {
        return of_contents(m_disk, part.area, part.contents);
    }
    return part.physical->flaw.empty()
               ? part.physical->extents
               : every_byte(part.area, fmt::format("{}: {}", lvm_type, part.physical->flaw), m_reporter);
}

std::vector<Extent> ExtentFinder::of_contents(const SourceDisk& disk, const Area& area,
                                              const DiskContents& contents) const
{
    const std::string& type = contents.type;
    if (contents.has_partitions()) {
        return every_byte(area, "a partition table of its own", m_reporter);
    }
    if (type == "swsuspend") {
        throw refused(fmt::format("{} holds the memory of a hibernated system; start that system and shut it "
                                  "down, or take every byte with --all",
                                  area.path));
    }
    if (type == "swap") {
        return of_swap(disk, area);
    }
    if (partclone_program(type).empty()) {
        return every_byte(area, type.empty() ? "no file system known" : type, m_reporter);
    }
    if (lacks_program_for(type, [](const std::string& name) { return !find_program(name).empty(); })) {
        return every_byte(area, fmt::format("{}, and no {} is installed", type, partclone_program(type)),
                          m_reporter);
    }
    if (area.partition == 0 && area.size != disk.size) {
        throw refused(fmt::format("the kernel has no device for {}; make them with partx --update {}, or "
                                  "take every byte with --all",
                                  area.path, m_disk.path));
    }
    return of_file_system(disk, area, type);
}

// All of the disk together, because a volume group can span several of them.
void ExtentFinder::find_physical_volumes(std::vector<Part>& parts)
{
    std::vector<Area> areas;
    for (const Part& part : parts) {
        if (part.contents.type == lvm_type) {
            areas.push_back(part.area);
        }
    }
    auto found = of_physical_volumes(areas);
    auto next = found.begin();
    for (Part& part : parts) {
        if (part.contents.type == lvm_type) {
            part.physical = std::move(*next++);
        }
    }
}

// For a source that is a physical volume itself, without a partition table.
std::vector<Extent> ExtentFinder::of_physical_volume(const Area& area)
{
    const auto found = of_physical_volumes({area});
    if (!lvm_is_installed()) {
        return every_byte(area, fmt::format("{}: {}", lvm_type, found.front().flaw), m_reporter);
    }
    if (!found.front().flaw.empty()) {
        throw refused(fmt::format("{} ({})", advice_for(area.path, lvm_type), found.front().flaw));
    }
    return found.front().extents;
}

std::vector<PhysicalVolumeExtents> ExtentFinder::of_physical_volumes(const std::vector<Area>& areas)
{
    if (areas.empty()) {
        return {};
    }
    if (!lvm_is_installed()) {
        return std::vector<PhysicalVolumeExtents>(
            areas.size(), {{}, "lvm is not installed (apt install lvm2), which finds its used blocks"});
    }
    auto found = lvm_extents(
        m_disk, areas, m_options.memory, m_reporter,
        [this](const SourceDisk& volume, const Area& area) { return of_logical_volume(volume, area); },
        [this] { tick(); });
    m_volumes = std::move(found.volumes);
    m_metadata = std::move(found.metadata);
    return std::move(found.physical);
}

VolumeContents ExtentFinder::of_logical_volume(const SourceDisk& volume, const Area& area) const
{
    const DiskContents contents = look_at_contents(volume.fd.get(), area.path, area.offset, area.size);
    return {contents.type, of_contents(volume, area, contents)};
}

// Only the header of swap space, with label and UUID, in a page of at most 64 KiB. The rest means nothing to
// another machine and can contain the memory of this one. What follows the swap space is carried as usual.
std::vector<Extent> ExtentFinder::of_swap(const SourceDisk& disk, const Area& area) const
{
    constexpr std::uint64_t header = 64_KiB;
    m_reporter.note(fmt::format("{} is swap space: its header is in the image", area.path));
    std::vector<Extent> extents{{0, std::min(header, area.size)}};
    std::array<std::byte, largest_page> beginning{};
    read_source(disk, area.offset, std::span(beginning).first(std::min(header, area.size)));
    if (const auto end = swap_end(beginning)) {
        const auto rest = carried_rest(area, *end, m_reporter);
        extents.insert(extents.end(), rest.begin(), rest.end());
    }
    return united(std::move(extents));
}

std::vector<Extent> ExtentFinder::of_file_system(const SourceDisk& disk, const Area& area,
                                                 const std::string& type) const
{
    return file_system_extents(disk, area, type, m_options, m_reporter, [this] { tick(); });
}

void ExtentFinder::warn_of_large_gaps(const std::vector<Extent>& extents, const PartitionTable& table) const
{
    std::vector<Extent> known = extents;
    for (const Partition& partition : table.partitions) {
        if (!partition.is_container) {
            known.push_back({partition.start, partition.size});
        }
    }
    const auto gaps = gaps_between(united(std::move(known)), m_disk.size);
    if (!gaps.empty()) {
        m_reporter.warning(
            fmt::format("{}: {} that are in no partition (from byte {} on) are not in the image; --all takes "
                        "every byte",
                        m_disk.path, format_bytes(total_length(gaps)), gaps.front().offset));
    }
}

void ExtentFinder::tick() const
{
    m_stop.throw_if_received();
    ProgressEvent event;
    event.phase = Phase::mapping;
    event.seconds = std::chrono::duration<double>(Clock::now() - m_started).count();
    m_reporter.progress(event);
}

} // namespace

ImageSource find_extents(const SourceOptions& options, Reporter& reporter, StopSignal& stop)
{
    SourceDisk disk = open_source_disk(options.source);
    if (options.skip_holes && disk.is_device) {
        throw Error(ExitStatus::usage,
                    fmt::format("--skip-holes: {} is a device; only files have holes", disk.path));
    }
    if (!options.force) {
        refuse_changing(disk);
    }
    if (disk.is_device && (disk.is_mounted() || has_devices_upon(disk))) {
        refresh_cache(disk);
    }
    ExtentFinder finder(disk, options, reporter, stop);
    ImageSource source;
    finder.find(source);
    source.sector_bytes = finder.sector_bytes();
    if (options.extents.empty()) {
        source.identity = recognize(disk.fd.get(), {0, disk.size}, 0).identity;
    }
    source.fd = std::move(disk.fd);
    return source;
}

namespace {

std::uint64_t length_of(const std::filesystem::directory_entry& file)
{
    std::error_code error;
    const auto length = file.is_regular_file(error) ? file.file_size(error) : 0;
    if (error || !file.is_regular_file(error)) {
        throw refused(fmt::format("{} is named by an offset, but {}", file.path().string(),
                                  error ? "cannot be looked at: " + error.message() : "is no regular file"));
    }
    return length;
}

} // namespace

ImageSource find_files(const SourceOptions& options, Reporter& reporter)
{
    struct File {
        Extent extent;
        std::string name;
    };
    std::vector<File> files;
    std::string other; // a file that is not part of the image
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(options.source, error)) {
        const std::string name = entry.path().filename().string();
        if (const auto offset = parse_extent_name(name)) {
            files.push_back({{*offset, length_of(entry)}, name});
        } else if (name != "torrent.info") {
            other = name;
        }
    }
    if (error) {
        throw refused(fmt::format("{} cannot be read: {}", options.source, error.message()));
    }
    if (files.empty()) {
        throw refused(
            fmt::format("{} is not a BT image: no file in it is named by an offset, 16 or 32 hex digits",
                        options.source));
    }
    if (!other.empty()) {
        reporter.warning(
            fmt::format("{}/{} is not named by an offset and not in the image", options.source, other));
    }
    std::sort(files.begin(), files.end(),
              [](const File& a, const File& b) { return a.extent.offset < b.extent.offset; });
    ImageSource source;
    for (File& file : files) {
        if (file.extent.length == 0) {
            continue; // partclone.dd can write an empty one
        }
        source.extents.push_back(file.extent);
        source.names.push_back(std::move(file.name));
    }
    return source;
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/image_source.hpp"

#include "ezio/block_device.hpp"
#include "ezio/clock.hpp"
#include "ezio/disk_layout.hpp"
#include "ezio/partclone.hpp"
#include "ezio/partclone_info.hpp"
#include "ezio/partition_records.hpp"
#include "ezio/read_file.hpp"
#include "ezio/source_disk.hpp"
#include "ezio/xfs_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace ezio {

namespace {

Error refused(const std::string& message)
{
    return {ExitStatus::target, message};
}

// Why there is no map of what is used, and what to do.
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
    if (type == "LVM2_member" || type == "LVM1_member") {
        return fmt::format("{} is an LVM physical volume: create from each of its logical volumes, {}", path,
                           or_all);
    }
    if (type.ends_with("_raid_member")) {
        return fmt::format("{} is a member of a RAID ({}): create from the array, {}", path, type, or_all);
    }
    return fmt::format("partclone does not know the file system on {}, {}; take every byte with --all", path,
                       type);
}

// A part of the source that is to be looked at: all of it, or a partition.
struct Area {
    std::string path;         // for messages, and for partclone where it holds a file system
    std::uint64_t offset = 0; // on the source
    std::uint64_t size = 0;
};

class ExtentFinder {
  public:
    ExtentFinder(const SourceDisk& disk, const CreateOptions& options, const Context& context)
        : m_disk(disk), m_options(options), m_context(context)
    {}

    std::vector<Extent> find();
    [[nodiscard]] std::uint64_t sector_bytes() const;

  private:
    std::vector<Extent> of_listed_extents();
    std::vector<Extent> of_whole_disk(const PartitionTable& table);
    std::vector<Extent> of_partition(const Partition& partition, const std::vector<PartitionDevice>& devices);
    std::vector<Extent> of_file_system(const Area& area, const std::string& type);
    void refuse_what_partclone_would_take(const Area& area, const std::string& type) const;
    [[nodiscard]] bool has_empty_log(const Area& area, const std::string& type) const;
    [[nodiscard]] bool is_mounted(const Area& area) const;
    void tick() const; // several times a second, where it takes long

    const SourceDisk& m_disk;
    const CreateOptions& m_options;
    const Context& m_context;
    const Clock::time_point m_started = Clock::now();
};

std::vector<Extent> ExtentFinder::find()
{
    if (m_options.all) {
        return m_options.skip_holes ? data_extents(m_disk) : std::vector<Extent>{{0, m_disk.size}};
    }
    if (!m_options.extents.empty()) {
        return of_listed_extents();
    }
    const DiskContents contents = look_at_contents(m_disk.fd.get(), m_disk.path, 0, m_disk.size);
    const bool has_partitions = contents.table && !contents.table->partitions.empty();
    if (has_partitions && !contents.type.empty()) {
        throw refused(
            fmt::format("{} has a partition table ({}) and signs of {}; erase the stale one (see wipefs -n "
                        "{}), or take every byte with --all",
                        m_disk.path, contents.table->type, contents.type, m_disk.path));
    }
    if (has_partitions) {
        return of_whole_disk(*contents.table);
    }
    if (partclone_program(contents.type).empty()) {
        throw refused(advice_for(m_disk.path, contents.type));
    }
    return of_file_system({m_disk.path, 0, m_disk.size}, contents.type);
}

// See ImageSource. In a file only a GPT is found where its sectors are of 512 bytes; what MBR counts in it
// does not say.
std::uint64_t ExtentFinder::sector_bytes() const
{
    const std::string table = partition_table_type(m_disk.fd.get(), m_disk.path, m_disk.size);
    if (table.empty() || (!m_disk.is_device && table != "gpt")) {
        return 0;
    }
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
        BlockMap map = parse_block_map(text, list);
        if (map.unread_bytes > 0) {
            m_context.reporter.warning(
                fmt::format("{} says that {} bytes have not been read; the image is without them", list,
                            map.unread_bytes));
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
    const auto devices = partition_devices(m_disk.device);
    std::vector<UsedPartition> partitions;
    for (const Partition& partition : table.partitions) {
        partitions.push_back({partition, {}});
    }
    (void)disk_extents(m_disk.path, m_disk.size, partitions); // a table that is wrong is refused first
    for (UsedPartition& each : partitions) {
        if (!each.partition.is_container) {
            each.used = of_partition(each.partition, devices);
        }
    }
    auto extents = disk_extents(m_disk.path, m_disk.size, std::move(partitions));
    const auto records = partition_records(m_disk, table, sector_size(m_disk.fd, m_disk.path));
    extents.insert(extents.end(), records.begin(), records.end());
    return united(std::move(extents));
}

std::vector<Extent> ExtentFinder::of_partition(const Partition& partition,
                                               const std::vector<PartitionDevice>& devices)
{
    // Of swap its header alone, with label and UUID, in a page of at most 64 KiB. The rest means nothing to
    // another machine, and can hold what was in this one's memory.
    constexpr std::uint64_t swap_header = 64_KiB;
    const auto device = std::find_if(devices.begin(), devices.end(), [&](const PartitionDevice& each) {
        return each.start == partition.start && each.size == partition.size;
    });
    const Area area{device != devices.end()
                        ? device->path
                        : fmt::format("partition {} of {}", partition.number, m_disk.path),
                    partition.start, partition.size};
    const std::string type = look_at_contents(m_disk.fd.get(), area.path, area.offset, area.size).type;
    if (!partclone_program(type).empty()) {
        if (device == devices.end()) {
            throw refused(fmt::format(
                "the kernel has no device for {}; make them with partx --update {}, or take every "
                "byte with --all",
                area.path, m_disk.path));
        }
        return of_file_system(area, type);
    }
    if (type == "swsuspend") {
        throw refused(fmt::format("{} holds the memory of a hibernated system; start that and shut it down, "
                                  "or take every byte with --all",
                                  area.path));
    }
    if (type == "swap") {
        m_context.reporter.note(fmt::format("{} is swap space: its header is in the image", area.path));
        return {{0, std::min(swap_header, area.size)}};
    }
    m_context.reporter.warning(fmt::format("{} ({}): every byte of it, {}, is in the image", area.path,
                                           type.empty() ? "no file system known" : type,
                                           format_bytes(area.size)));
    return {{0, area.size}};
}

void ExtentFinder::tick() const
{
    m_context.stop.throw_if_received();
    ProgressEvent event;
    event.phase = Phase::mapping;
    event.seconds = std::chrono::duration<double>(Clock::now() - m_started).count();
    m_context.reporter.progress(event);
}

std::vector<Extent> ExtentFinder::of_file_system(const Area& area, const std::string& type)
{
    refuse_what_partclone_would_take(area, type);
    if (type == "vfat" && is_fat12(read_superblock(m_disk, area.offset + fat_superblock_offset))) {
        m_context.reporter.note(
            fmt::format("{} is a FAT12, of which partclone misses used blocks: every byte of it, "
                        "{}, is in the image",
                        area.path, format_bytes(area.size)));
        return {{0, area.size}};
    }
    const PartcloneRequest request{area.path,       area.size,        type,
                                   m_options.force, is_mounted(area), m_options.memory};
    std::vector<Extent> extents = used_blocks(request, [this] { tick(); });
    if (type == "ntfs") {
        const auto copy = ntfs_boot_copy(read_superblock(m_disk, area.offset + ntfs_superblock_offset));
        if (copy && copy->end() <= area.size) {
            extents.push_back(*copy);
        }
    }
    extents = united(std::move(extents));
    m_context.reporter.note(fmt::format("{} ({}): {} of {} are used", area.path, type,
                                        format_bytes(total_length(extents)), format_bytes(area.size)));
    return extents;
}

void ExtentFinder::refuse_what_partclone_would_take(const Area& area, const std::string& type) const
{
    if (type == "btrfs" &&
        btrfs_device_count(read_superblock(m_disk, area.offset + btrfs_superblock_offset)) != 1) {
        throw refused(fmt::format("the btrfs on {} spans several devices; take every byte of each with --all",
                                  area.path));
    }
    if (!m_options.force && !has_empty_log(area, type)) {
        const char* const remedy = type.starts_with("ext") ? "run e2fsck on it"
                                   : type == "xfs" ? "mount it (a snapshot with -o nouuid) and unmount it"
                                                   : "mount it and unmount it";
        throw refused(
            fmt::format("the {} on {} was not left in order, and its maps of used blocks are not to be "
                        "trusted; {}{}, or use --force",
                        type, area.path, is_mounted(area) ? "unmount it and " : "", remedy));
    }
}

bool ExtentFinder::has_empty_log(const Area& area, const std::string& type) const
{
    if (type.starts_with("ext")) {
        return ext_is_clean(read_superblock(m_disk, area.offset + ext_superblock_offset));
    }
    if (type == "btrfs") {
        return btrfs_is_clean(read_superblock(m_disk, area.offset + btrfs_superblock_offset));
    }
    return type != "xfs" || xfs_is_clean(m_disk, area.offset, area.size, [this] { tick(); });
}

bool ExtentFinder::is_mounted(const Area& area) const
{
    const bool is_all = area.size == m_disk.size;
    return std::any_of(m_disk.uses.begin(), m_disk.uses.end(),
                       [&](const DeviceUse& use) { return is_all || use.device == area.path; });
}

} // namespace

ImageSource find_extents(const CreateOptions& options, const Context& context)
{
    const SourceDisk disk = open_source_disk(options.source);
    if (options.skip_holes && disk.is_device) {
        throw Error(ExitStatus::usage,
                    fmt::format("--skip-holes: {} is a device; only files have holes", disk.path));
    }
    if (!options.force) {
        refuse_changing(disk);
    }
    if (disk.is_device && (disk.is_mounted() || !partition_devices(disk.device).empty())) {
        refresh_cache(disk);
    }
    ExtentFinder finder(disk, options, context);
    ImageSource source;
    source.extents = finder.find();
    source.sector_bytes = finder.sector_bytes();
    if (options.extents.empty()) {
        source.identity = recognize(disk.fd.get(), {0, disk.size}, 0).identity;
    }
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

ImageSource find_files(const CreateOptions& options, const Context& context)
{
    struct File {
        Extent extent;
        std::string name;
    };
    std::vector<File> files;
    std::string other; // a file that is no part of the image
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
        throw refused(fmt::format(
            "{} is no BT image: no file in it is named by an offset, 16 or 32 hex digits", options.source));
    }
    if (!other.empty()) {
        context.reporter.warning(
            fmt::format("{}/{} is not named by an offset and not in the image", options.source, other));
    }
    std::sort(files.begin(), files.end(),
              [](const File& a, const File& b) { return a.extent.offset < b.extent.offset; });
    ImageSource source;
    for (File& file : files) {
        if (file.extent.length == 0) {
            continue; // partclone.dd can write such
        }
        source.extents.push_back(file.extent);
        source.names.push_back(std::move(file.name));
    }
    return source;
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/file_system_extents.hpp"

#include "ezio/source/disk_layout.hpp"
#include "ezio/source/partclone.hpp"
#include "ezio/source/superblock.hpp"
#include "ezio/util/error.hpp"
#include "map_check.hpp"
#include "xfs_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include <fcntl.h>
#include <sys/stat.h>

namespace ezio {

namespace {

Error unfit(const std::string& message)
{
    return {ExitStatus::target, message};
}

class FileSystem {
  public:
    FileSystem(const SourceDisk& disk, const Area& area, const std::string& type,
               const SourceOptions& options, Reporter& reporter, const std::function<void()>& tick)
        : m_disk(disk), m_area(area), m_type(type), m_options(options), m_reporter(reporter), m_tick(tick)
    {}

    std::vector<Extent> extents() const;

  private:
    [[nodiscard]] bool is_fat12() const;
    [[nodiscard]] bool has_bigalloc() const;
    void warn_of_journal_device() const;
    void refuse_several_devices() const;
    void refuse_uncountable() const;
    void refuse_unclean() const;
    [[nodiscard]] Fd open_partition() const;
    void refuse_lossy(const DdrescueMap& map) const;
    [[nodiscard]] bool has_empty_log() const;
    [[nodiscard]] bool is_mounted() const;
    [[nodiscard]] std::array<std::byte, superblock_bytes> superblock(std::uint64_t offset) const;

    const SourceDisk& m_disk;
    const Area& m_area;
    const std::string& m_type;
    const SourceOptions& m_options;
    Reporter& m_reporter;
    const std::function<void()>& m_tick;
};

std::vector<Extent> FileSystem::extents() const
{
    if (is_fat12()) {
        m_reporter.note(fmt::format("{} is a FAT12, of which partclone misses used blocks: every byte of it, "
                                    "{}, is in the image",
                                    m_area.path, format_bytes(m_area.size)));
        return {{0, m_area.size}};
    }
    warn_of_journal_device();
    if (has_bigalloc()) {
        return every_byte(m_area, m_type + " with bigalloc, whose bitmaps partclone misreads", m_reporter);
    }
    refuse_several_devices();
    refuse_uncountable();
    refuse_unclean();
    const Fd partition = open_partition();
    const PartcloneRequest request{m_area.path,     partition ? partition.get() : m_disk.fd.get(),
                                   m_area.size,     m_type,
                                   m_options.force, is_mounted(),
                                   m_options.memory};
    const DdrescueMap map = used_blocks(request, m_tick);
    refuse_lossy(map);
    auto extents = carried_blocks(map);
    m_reporter.note(fmt::format("{} ({}): {} of {} are used", m_area.path, m_type,
                                format_bytes(total_length(extents)), format_bytes(map.end)));
    const auto rest = carried_rest(m_area, map.end, m_reporter);
    extents.insert(extents.end(), rest.begin(), rest.end());
    if (m_type == "ntfs") {
        const auto copy = ntfs_boot_copy(superblock(ntfs_superblock_offset));
        if (copy && copy->end() <= m_area.size) {
            extents.push_back(*copy);
        }
    }
    return united(std::move(extents));
}

bool FileSystem::is_fat12() const
{
    return m_type == "vfat" && ezio::is_fat12(superblock(fat_superblock_offset));
}

bool FileSystem::has_bigalloc() const
{
    return m_type.starts_with("ext") && ext_has_bigalloc(superblock(ext_superblock_offset));
}

// Leaving it out loses nothing: the journal is empty, or the file system is not clean.
void FileSystem::warn_of_journal_device() const
{
    const std::string uuid =
        m_type.starts_with("ext") ? ext_journal_device(superblock(ext_superblock_offset)) : "";
    if (!uuid.empty()) {
        m_reporter.warning(
            fmt::format("{} has its journal on another device ({}), which is not in the image; the "
                        "targets need one, too, or tune2fs -f -O ^has_journal",
                        m_area.path, uuid));
    }
}

void FileSystem::refuse_several_devices() const
{
    const bool has_several =
        (m_type == "btrfs" && btrfs_device_count(superblock(btrfs_superblock_offset)) != 1) ||
        (m_type == "xfs" && (xfs_has_log_device(superblock(xfs_superblock_offset)) ||
                             xfs_has_realtime_device(superblock(xfs_superblock_offset))));
    if (has_several) {
        throw unfit(fmt::format("the {} on {} spans several devices; take every byte of each with --all",
                                m_type, m_area.path));
    }
}

void FileSystem::refuse_uncountable() const
{
    constexpr std::uint64_t most = 1ULL << 32;
    const std::uint64_t blocks = m_type == "xfs" ? xfs_layout(superblock(xfs_superblock_offset)).blocks : 0;
    if (blocks <= most) {
        return;
    }
    const std::string version = partclone_version(m_type, m_tick);
    if (!counts_in_64_bits(version)) {
        throw unfit(fmt::format("the xfs on {} has {} blocks, of which partclone {} counts at most 2^32; use "
                                "partclone 0.3.40 or later, or take every byte with --all",
                                m_area.path, blocks, version));
    }
}

void FileSystem::refuse_unclean() const
{
    if (!m_options.force && !has_empty_log()) {
        const char* const remedy = m_type.starts_with("ext") ? "run e2fsck on it"
                                   : m_type == "xfs" ? "mount it (a snapshot with -o nouuid) and unmount it"
                                                     : "mount it and unmount it";
        throw unfit(fmt::format(
            "the {} on {} is not clean, and its maps of used blocks cannot be trusted; {}{}, or use --force",
            m_type, m_area.path, is_mounted() ? "unmount it and " : "", remedy));
    }
}

bool FileSystem::has_empty_log() const
{
    if (m_type.starts_with("ext")) {
        return ext_is_clean(superblock(ext_superblock_offset));
    }
    if (m_type == "btrfs") {
        return btrfs_is_clean(superblock(btrfs_superblock_offset));
    }
    return m_type != "xfs" || xfs_is_clean(m_disk, m_area.offset, m_area.size, m_tick);
}

// Opens the area's device if it is a partition, because partclone cannot read parts of a device.
Fd FileSystem::open_partition() const
{
    if (m_area.partition == 0) {
        return {};
    }
    Fd fd(::open(m_area.path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        throw unfit(fmt::format("{} cannot be opened: {}", m_area.path, errno_text(errno)));
    }
    if (!S_ISBLK(status.st_mode) || status.st_rdev != m_area.partition) {
        throw unfit(fmt::format("{} is not the partition of {} with this name; correct that (udevadm "
                                "trigger), or take every byte with --all",
                                m_area.path, m_disk.path));
    }
    return fd;
}

void FileSystem::refuse_lossy(const DdrescueMap& map) const
{
    const std::uint64_t missing = bytes_missing(map.used, m_disk, m_area.offset, m_type, m_tick);
    if (missing == 0) {
        return;
    }
    const std::string flaw =
        fmt::format("the map of used blocks that {} makes of {} lacks {} that the {} counts as used",
                    partclone_program(m_type), m_area.path, format_bytes(missing), m_type);
    if (!m_options.force) {
        throw unfit(flaw + "; have it checked, or take every byte with --all");
    }
    m_reporter.warning(flaw);
}

bool FileSystem::is_mounted() const
{
    const bool is_all = m_area.size == m_disk.size;
    return std::any_of(m_disk.uses.begin(), m_disk.uses.end(),
                       [&](const DeviceUse& use) { return is_all || use.device == m_area.path; });
}

std::array<std::byte, superblock_bytes> FileSystem::superblock(std::uint64_t offset) const
{
    return read_superblock(m_disk, m_area.offset + offset);
}

} // namespace

std::vector<Extent> file_system_extents(const SourceDisk& disk, const Area& area, const std::string& type,
                                        const SourceOptions& options, Reporter& reporter,
                                        const std::function<void()>& tick)
{
    return FileSystem(disk, area, type, options, reporter, tick).extents();
}

std::vector<Extent> carried_rest(const Area& area, std::uint64_t end, Reporter& reporter)
{
    if (end >= area.size) {
        return {};
    }
    const Extent rest{end, area.size - end};
    auto carried = carried_of_gap(rest, largest_whole_rest);
    const std::uint64_t left_out = rest.length - total_length(carried);
    if (left_out > 0) {
        reporter.warning(fmt::format(
            "{}: {} after the known contents (from byte {} on) are not in the image; --all takes every byte",
            area.path, format_bytes(left_out), carried.front().end()));
    }
    return carried;
}

std::vector<Extent> every_byte(const Area& area, const std::string& what, Reporter& reporter)
{
    reporter.warning(fmt::format("{} ({}): every byte of it, {}, is in the image", area.path, what,
                                 format_bytes(area.size)));
    return {{0, area.size}};
}

} // namespace ezio

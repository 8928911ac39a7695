// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/file_system_extents.hpp"

#include "ezio/disk_layout.hpp"
#include "ezio/error.hpp"
#include "ezio/partclone.hpp"
#include "ezio/superblock.hpp"
#include "ezio/xfs_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace ezio {

namespace {

Error refused(const std::string& message)
{
    return {ExitStatus::target, message};
}

class FileSystem {
  public:
    FileSystem(const SourceDisk& disk, const Area& area, const std::string& type,
               const CreateOptions& options, Reporter& reporter, const std::function<void()>& tick)
        : m_disk(disk), m_area(area), m_type(type), m_options(options), m_reporter(reporter), m_tick(tick)
    {}

    std::vector<Extent> extents() const;

  private:
    [[nodiscard]] bool is_fat12() const;
    void refuse_what_partclone_would_take() const;
    [[nodiscard]] bool has_empty_log() const;
    [[nodiscard]] bool is_mounted() const;
    [[nodiscard]] std::array<std::byte, superblock_bytes> superblock(std::uint64_t offset) const;

    const SourceDisk& m_disk;
    const Area& m_area;
    const std::string& m_type;
    const CreateOptions& m_options;
    Reporter& m_reporter;
    const std::function<void()>& m_tick;
};

std::vector<Extent> FileSystem::extents() const
{
    if (is_fat12()) {
        m_reporter.note(
            fmt::format("{} is a FAT12, of which partclone misses used blocks: every byte of it, "
                        "{}, is in the image",
                        m_area.path, format_bytes(m_area.size)));
        return {{0, m_area.size}};
    }
    refuse_what_partclone_would_take();
    const PartcloneRequest request{m_area.path,     m_area.size,  m_type,
                                   m_options.force, is_mounted(), m_options.memory};
    const BlockMap map = used_blocks(request, m_tick);
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

void FileSystem::refuse_what_partclone_would_take() const
{
    if (m_type == "btrfs" && btrfs_device_count(superblock(btrfs_superblock_offset)) != 1) {
        throw refused(fmt::format("the btrfs on {} spans several devices; take every byte of each with --all",
                                  m_area.path));
    }
    if (!m_options.force && !has_empty_log()) {
        const char* const remedy = m_type.starts_with("ext") ? "run e2fsck on it"
                                   : m_type == "xfs" ? "mount it (a snapshot with -o nouuid) and unmount it"
                                                     : "mount it and unmount it";
        throw refused(
            fmt::format("the {} on {} was not left in order, and its maps of used blocks are not to be "
                        "trusted; {}{}, or use --force",
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
                                        const CreateOptions& options, Reporter& reporter,
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
            "{}: {} behind what is known there (from byte {} on) are not in the image; --all takes every byte",
            area.path, format_bytes(left_out), carried.front().end()));
    }
    return carried;
}

std::vector<Extent> every_byte(const Area& area, const std::string& what, Reporter& reporter)
{
    reporter.warning(
        fmt::format("{} ({}): every byte of it, {}, is in the image", area.path, what, format_bytes(area.size)));
    return {{0, area.size}};
}

} // namespace ezio

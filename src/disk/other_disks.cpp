// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk/other_disks.hpp"

#include "ezio/disk/partition_list.hpp"
#include "ezio/disk/recognition.hpp"
#include "ezio/target/device_tree.hpp"
#include "ezio/util/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace ezio {

namespace {

namespace fs = std::filesystem;

void add(std::vector<KnownUuid>& uuids, const char* what, std::string value)
{
    if (!value.empty()) {
        uuids.push_back({what, std::move(value)});
    }
}

const char* contents_called(std::string_view type)
{
    return type == lvm_type ? "physical volume" : "file system";
}

void add_contents(DiskUuids& disk, int fd, const Extent& area, std::uint64_t sector_bytes)
{
    const DiskIdentity identity = recognize(fd, area, sector_bytes).identity;
    add(disk.uuids, contents_called(identity.type), identity.uuid);
    add(disk.uuids, "partition table", area.offset == 0 ? identity.table_uuid : "");
    const auto group = identity.type == lvm_type ? volume_group_on(fd, area) : std::nullopt;
    if (group && std::find(disk.groups.begin(), disk.groups.end(), *group) == disk.groups.end()) {
        disk.groups.push_back(*group);
    }
}

// An LVM2 UUID in groups of 6, 4, 4, 4, 4, 4 and 6.
std::string with_dashes(const std::string& uuid)
{
    std::string text;
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        const bool begins_group = i >= 6 && i <= 26 && (i - 6) % 4 == 0;
        text += begins_group ? "-" : "";
        text += uuid[i];
    }
    return text;
}

std::vector<std::string> names_in(const fs::path& directory)
{
    std::error_code none;
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory, none)) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

// Collects the devices that share bytes with a device, from sysfs.
class Relatives {
  public:
    explicit Relatives(fs::path blocks) : m_blocks(std::move(blocks)), m_all(names_in(m_blocks)) {}

    // Adds the device, its partitions, and the devices on top of any of them.
    void add_above(const std::string& name)
    {
        if (!m_above.insert(name).second) {
            return;
        }
        for (const std::string& entry : names_in(m_blocks / name)) {
            std::error_code none;
            if (fs::exists(m_blocks / name / entry / "partition", none)) {
                add_above(entry);
            }
        }
        for (const std::string& holder : names_in(m_blocks / name / "holders")) {
            add_above(holder);
        }
        for (const std::string& loop : loops_on(path_of_device(name))) {
            add_above(loop);
        }
    }

    // Adds the devices that it is a part of, or lies on.
    void add_below(const std::string& name)
    {
        if (!m_below.insert(name).second) {
            return;
        }
        std::error_code none;
        const fs::path real = fs::canonical(m_blocks / name, none);
        if (fs::exists(real / "partition", none)) {
            add_below(real.parent_path().filename().string());
        }
        for (const std::string& slave : names_in(m_blocks / name / "slaves")) {
            add_below(slave);
        }
        const std::string backing = first_line_of(m_blocks / name / "loop" / "backing_file");
        if (backing.empty()) {
            return;
        }
        for (const std::string& sibling : loops_on(backing)) {
            add_above(sibling);
        }
        for (const std::string& each : m_all) {
            if (backing == path_of_device(each)) {
                add_below(each);
            }
        }
    }

    [[nodiscard]] std::vector<std::string> others() const
    {
        std::vector<std::string> names;
        std::copy_if(m_all.begin(), m_all.end(), std::back_inserter(names), [&](const std::string& name) {
            return !m_above.contains(name) && !m_below.contains(name);
        });
        return names;
    }

  private:
    [[nodiscard]] std::vector<std::string> loops_on(const std::string& backing) const
    {
        std::vector<std::string> loops;
        std::copy_if(m_all.begin(), m_all.end(), std::back_inserter(loops), [&](const std::string& name) {
            return first_line_of(m_blocks / name / "loop" / "backing_file") == backing;
        });
        return loops;
    }

    const fs::path m_blocks;
    const std::vector<std::string> m_all;
    std::set<std::string> m_above;
    std::set<std::string> m_below;
};

// False for devices without contents of their own, and for drives that take long to report that they are
// empty.
bool is_worth_reading(const fs::path& sysfs)
{
    constexpr std::array<std::string_view, 4> left_out{"ram", "zram", "fd", "sr"};
    const std::string name = sysfs.filename().string();
    std::error_code none;
    const bool is_left_out = std::any_of(left_out.begin(), left_out.end(),
                                         [&](std::string_view prefix) { return name.starts_with(prefix); });
    // Partitions are read with their disk.
    return !is_left_out && !fs::exists(sysfs / "partition", none) && first_line_of(sysfs / "size") != "0";
}

DiskUuids uuids_of_device(const std::string& path)
{
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    std::uint64_t size = 0;
    const bool is_open = fd && ::ioctl(fd.get(), BLKGETSIZE64, &size) == 0;
    return is_open ? read_uuids(path, fd.get(), size, 0) : DiskUuids{path, {}};
}

bool send_line(int socket, const std::string& line)
{
    const std::string text = line + '\n';
    return ::send(socket, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

// Protocol: "D /dev/sdb" before a disk is read, then "U file system=2f1c" for each of its UUIDs and "G
// vg0=6Q0z2R" for each volume group.
void read_all(int socket, dev_t target, const DeviceDirectories& directories)
{
    for (const std::string& name : unrelated_devices(target, directories)) {
        const fs::path sysfs = fs::path(directories.sysfs) / "class/block" / name;
        const std::string path = path_of_device(name);
        if (!is_worth_reading(sysfs) || !send_line(socket, "D " + path)) {
            continue;
        }
        const DiskUuids disk = uuids_of_device(path);
        for (const KnownUuid& uuid : disk.uuids) {
            (void)send_line(socket, fmt::format("U {}={}", uuid.what, uuid.value));
        }
        for (const VolumeGroup& group : disk.groups) {
            (void)send_line(socket, fmt::format("G {}={}", group.name, group.uuid));
        }
    }
}

OtherDisks::Findings findings_in(const AskedChild::Answer& answer)
{
    OtherDisks::Findings findings;
    std::string_view text = answer.text;
    while (!text.empty()) {
        const std::string line(take_line(text));
        const std::size_t equals = line.find('=');
        if (line.starts_with("D ")) {
            findings.disks.push_back({line.substr(2), {}});
        } else if (equals == std::string::npos || findings.disks.empty()) {
            continue;
        } else if (line.starts_with("U ")) {
            findings.disks.back().uuids.push_back({line.substr(2, equals - 2), line.substr(equals + 1)});
        } else if (line.starts_with("G ")) {
            findings.disks.back().groups.push_back({line.substr(2, equals - 2), line.substr(equals + 1)});
        }
    }
    if (!answer.is_complete && !findings.disks.empty()) {
        findings.unanswered = findings.disks.back().device;
    }
    return findings;
}

} // namespace

DiskUuids read_uuids(std::string device, int fd, std::uint64_t size, std::uint64_t sector_bytes)
{
    DiskUuids disk{std::move(device), {}};
    add_contents(disk, fd, {0, size}, sector_bytes);
    if (const auto list = list_partitions(fd, size, sector_bytes)) {
        for (std::size_t i = 0; i < list->partitions.size(); ++i) {
            add(disk.uuids, "partition", list->uuids[i]);
            if (!list->partitions[i].is_container) {
                add_contents(disk, fd, list->partitions[i].extent, 0);
            }
        }
    }
    return disk;
}

DiskUuids uuids_in_record(std::string device, std::string_view record)
{
    std::map<std::string, std::string> values;
    while (!record.empty()) {
        const std::string line(take_line(record));
        const std::size_t equals = line.find('=');
        if (line.starts_with("E:") && equals != std::string::npos) {
            values[line.substr(2, equals - 2)] = line.substr(equals + 1);
        }
    }
    constexpr std::string_view of_lvm = "LVM-"; // followed by the UUIDs of the group and the volume
    constexpr std::size_t uuid_length = 32;
    DiskUuids disk{std::move(device), {}};
    add(disk.uuids, contents_called(values["ID_FS_TYPE"]), values["ID_FS_UUID"]);
    add(disk.uuids, "partition", values["ID_PART_ENTRY_UUID"]);
    add(disk.uuids, "partition table", values["ID_PART_TABLE_UUID"]);
    if (!values["DM_VG_NAME"].empty() && values["DM_UUID"].starts_with(of_lvm)) {
        disk.groups.push_back({values["DM_VG_NAME"], values["DM_UUID"].substr(of_lvm.size(), uuid_length)});
    }
    return disk;
}

bool has_physical_volume(const DiskUuids& disk)
{
    return std::any_of(disk.uuids.begin(), disk.uuids.end(),
                       [](const KnownUuid& each) { return each.what == contents_called(lvm_type); });
}

std::optional<std::string> describe_twins(const DiskUuids& own, std::span<const DiskUuids> others)
{
    std::vector<std::string> twins;
    for (const DiskUuids& disk : others) {
        const auto same =
            std::find_first_of(disk.uuids.begin(), disk.uuids.end(), own.uuids.begin(), own.uuids.end());
        if (same != disk.uuids.end()) {
            twins.push_back(fmt::format("{} ({} {})", disk.device, same->what, same->value));
        }
    }
    if (twins.empty()) {
        return std::nullopt;
    }
    return fmt::format("{} now has the same UUIDs as {}: this machine may mount or boot the wrong one; "
                       "disconnect one of them, or give one new UUIDs",
                       own.device, fmt::join(twins, " and "));
}

std::optional<std::string> describe_same_names(const DiskUuids& own, std::span<const DiskUuids> others)
{
    for (const VolumeGroup& group : own.groups) {
        for (const DiskUuids& disk : others) {
            const auto other =
                std::find_if(disk.groups.begin(), disk.groups.end(), [&](const VolumeGroup& each) {
                    return each.name == group.name && each.uuid != group.uuid; // the same one may have both
                });
            if (other != disk.groups.end()) {
                return fmt::format("the volume group {} on {} has the same name as one on {}: LVM2 activates "
                                   "only one of them; rename it (vgrename {} NAME)",
                                   group.name, own.device, disk.device, with_dashes(group.uuid));
            }
        }
    }
    return std::nullopt;
}

std::vector<std::string> unrelated_devices(dev_t target, const DeviceDirectories& directories)
{
    std::error_code none;
    const fs::path sysfs = fs::canonical(
        fmt::format("{}/dev/block/{}:{}", directories.sysfs, major(target), minor(target)), none);
    Relatives relatives(fs::path(directories.sysfs) / "class/block");
    relatives.add_above(sysfs.filename().string());
    relatives.add_below(sysfs.filename().string());
    return relatives.others();
}

OtherDisks::OtherDisks(dev_t target, DeviceDirectories directories)
    : m_target(target), m_directories(std::move(directories))
{
    std::error_code none;
    if (!fs::exists(m_directories.udev + "/data", none)) {
        m_child.emplace("ezio-disks", [this](int socket) { read_all(socket, m_target, m_directories); });
    }
}

OtherDisks::Findings OtherDisks::look(milliseconds patience)
{
    return m_child ? findings_in(m_child->ask(patience)) : look_at_records();
}

OtherDisks::Findings OtherDisks::look_at_records() const
{
    Findings findings;
    for (const std::string& name : unrelated_devices(m_target, m_directories)) {
        const std::string number =
            first_line_of(fs::path(m_directories.sysfs) / "class/block" / name / "dev");
        findings.disks.push_back(uuids_in_record(
            path_of_device(name), contents_of(fmt::format("{}/data/b{}", m_directories.udev, number))));
    }
    return findings;
}

std::unique_ptr<OtherDisks> make_other_disks(int fd)
{
    struct stat status {};
    const bool is_device = ::fstat(fd, &status) == 0 && S_ISBLK(status.st_mode);
    return is_device ? std::make_unique<OtherDisks>(status.st_rdev) : nullptr;
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/mounts.hpp"

#include "ezio/error.hpp"
#include "ezio/fd.hpp"
#include "ezio/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace ezio {

namespace {

namespace fs = std::filesystem;

// Blanks and the like are written as "\040".
std::string unescaped(std::string_view field)
{
    const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
    std::string text;
    while (!field.empty()) {
        const bool is_escape = field.size() >= 4 && field[0] == '\\' && is_octal(field[1]) &&
                               is_octal(field[2]) && is_octal(field[3]);
        text += is_escape
                    ? static_cast<char>((field[1] - '0') << 6 | (field[2] - '0') << 3 | (field[3] - '0'))
                    : field[0];
        field.remove_prefix(is_escape ? 4 : 1);
    }
    return text;
}

// "8:1"; 0 when it is none.
dev_t parse_device(const std::string& text)
{
    std::istringstream stream(text);
    unsigned major_number = 0;
    unsigned minor_number = 0;
    char colon = 0;
    const bool fits = stream >> major_number >> colon >> minor_number && colon == ':';
    return fits ? makedev(major_number, minor_number) : 0;
}

std::string first_line(const fs::path& path)
{
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

fs::path sysfs_of(dev_t device)
{
    return fmt::format("/sys/dev/block/{}:{}", major(device), minor(device));
}

std::vector<fs::path> entries_of(const fs::path& directory)
{
    std::error_code none;
    std::vector<fs::path> entries;
    for (const auto& entry : fs::directory_iterator(directory, none)) {
        entries.push_back(entry.path());
    }
    std::sort(entries.begin(), entries.end());
    return entries;
}

// "/dev/sda1"; the kernel writes a '/' in a name as '!' there.
std::string device_path(const fs::path& sysfs)
{
    std::error_code none;
    std::string name = fs::canonical(sysfs, none).filename().string();
    std::replace(name.begin(), name.end(), '!', '/');
    return "/dev/" + name;
}

std::uint64_t number_in(const fs::path& path)
{
    std::uint64_t number = 0;
    std::ifstream(path) >> number;
    return number;
}

bool is_on(const Mounted& mounted, dev_t device)
{
    if (mounted.device == device) {
        return true;
    }
    struct stat status {};
    return mounted.source.starts_with('/') && ::stat(mounted.source.c_str(), &status) == 0 &&
           S_ISBLK(status.st_mode) && status.st_rdev == device;
}

// The name that the kernel has for the file is of no use where it was attached in another mount namespace or
// root directory; its number is, but only for who may open the device.
bool is_backed_by(const fs::path& loop_device, const std::string& path)
{
    std::error_code none;
    const std::string backing = first_line(loop_device / "loop" / "backing_file");
    if (backing.empty() || fs::equivalent(backing, path, none)) {
        return !backing.empty();
    }
    const Fd device(::open(device_path(loop_device).c_str(), O_RDONLY | O_CLOEXEC));
    loop_info64 info{};
    struct stat status {};
    if (!device || ::ioctl(device.get(), LOOP_GET_STATUS64, &info) != 0 ||
        ::stat(path.c_str(), &status) != 0) {
        return false;
    }
    return S_ISBLK(status.st_mode) ? info.lo_rdevice == status.st_rdev
                                   : info.lo_device == status.st_dev && info.lo_inode == status.st_ino;
}

// The loop devices upon a file or block device.
std::vector<fs::path> loop_devices_on(const std::string& path)
{
    std::vector<fs::path> devices;
    for (const fs::path& device : entries_of("/sys/block")) {
        if (is_backed_by(device, path)) {
            devices.push_back(device);
        }
    }
    return devices;
}

bool is_claimed(const std::string& device)
{
    const Fd fd(::open(device.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
    return !fd && errno == EBUSY;
}

// The disk that a partition is on.
fs::path disk_of(dev_t device)
{
    std::error_code none;
    const fs::path sysfs = fs::canonical(sysfs_of(device), none);
    return fs::exists(sysfs / "partition", none) ? sysfs.parent_path() : fs::path();
}

// What shares its bytes with the file or block device.
std::vector<std::string> same_bytes_as(const std::string& path)
{
    std::vector<std::string> paths{path};
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && S_ISBLK(status.st_mode)) {
        for (const PartitionDevice& partition : partition_devices(status.st_rdev)) {
            paths.push_back(partition.path);
        }
        if (const fs::path disk = disk_of(status.st_rdev); !disk.empty()) {
            paths.push_back(device_path(disk));
        }
    }
    return paths;
}

// Goes up from a device to all that is made of it.
class UseFinder {
  public:
    UseFinder() : m_mounts(parse_mountinfo(contents_of("/proc/self/mountinfo"))) {}

    void add(dev_t device)
    {
        if (device == 0 || !m_seen.insert(device).second) {
            return;
        }
        const fs::path sysfs = sysfs_of(device);
        for (const Mounted& mounted : m_mounts) {
            if (is_on(mounted, device)) {
                m_uses.push_back({device_path(sysfs), mounted.point, mounted.read_only});
            }
        }
        for (const PartitionDevice& partition : partition_devices(device)) {
            add(partition.device);
        }
        for (const fs::path& holder : entries_of(sysfs / "holders")) {
            add(parse_device(first_line(holder / "dev")));
        }
        for (const fs::path& loop : loop_devices_on(device_path(sysfs))) {
            add(parse_device(first_line(loop / "dev")));
        }
    }

    std::vector<DeviceUse> take() { return std::move(m_uses); }

  private:
    const std::vector<Mounted> m_mounts;
    std::set<dev_t> m_seen;
    std::vector<DeviceUse> m_uses;
};

} // namespace

std::vector<Mounted> parse_mountinfo(std::string_view text)
{
    std::vector<Mounted> mounts;
    while (!text.empty()) {
        const std::string line(take_line(text));
        const std::size_t separator = line.find(" - "); // before it there may be any number of fields
        if (separator == std::string::npos) {
            continue;
        }
        std::istringstream fields(line.substr(0, separator));
        std::istringstream tail(line.substr(separator + 3));
        std::array<std::string, 5> head; // id, parent, device, root, mount point
        std::string type, source, options;
        const bool complete =
            fields >> head[0] >> head[1] >> head[2] >> head[3] >> head[4] && tail >> type >> source;
        tail >> options;
        if (complete) {
            mounts.push_back({parse_device(head[2]), unescaped(source), unescaped(head[4]),
                              options == "ro" || options.starts_with("ro,")});
        }
    }
    return mounts;
}

std::string describe_use(const std::string& path, const DeviceUse& use)
{
    return fmt::format("{} is in use: {} is mounted on {}; unmount it first", path, use.device, use.point);
}

std::vector<DeviceUse> uses_of(dev_t device)
{
    UseFinder finder;
    finder.add(device);
    return finder.take();
}

std::vector<DeviceUse> uses_of_file(const std::string& path)
{
    UseFinder finder;
    for (const fs::path& loop : loop_devices_on(path)) {
        finder.add(parse_device(first_line(loop / "dev")));
    }
    return finder.take();
}

void refuse_used_loop(const std::string& path, const std::vector<DeviceUse>& uses)
{
    if (!uses.empty()) {
        throw Error(ExitStatus::target, describe_use(path, uses.front()));
    }
    if (const std::string loop = claimed_loop_device(path); !loop.empty()) {
        throw Error(
            ExitStatus::target,
            fmt::format("{} is in use by way of {} (a mount, also in a container, swap, RAID or LVM); "
                        "stop that first",
                        path, loop));
    }
}

std::string claimed_loop_device(const std::string& path)
{
    for (const std::string& part : same_bytes_as(path)) {
        for (const fs::path& loop : loop_devices_on(part)) {
            const std::string device = device_path(loop);
            std::string above = is_claimed(device) ? device : claimed_loop_device(device);
            if (!above.empty()) {
                return above;
            }
        }
    }
    return {};
}

bool is_partition(dev_t device)
{
    return !disk_of(device).empty();
}

std::vector<PartitionDevice> partition_devices(dev_t disk)
{
    constexpr std::uint64_t unit = 512; // of sysfs, whatever the disk's sectors are
    std::vector<PartitionDevice> partitions;
    for (const fs::path& entry : entries_of(sysfs_of(disk))) {
        std::error_code none;
        if (fs::exists(entry / "partition", none)) {
            partitions.push_back({device_path(entry), parse_device(first_line(entry / "dev")),
                                  number_in(entry / "start") * unit, number_in(entry / "size") * unit,
                                  static_cast<int>(number_in(entry / "partition"))});
        }
    }
    return partitions;
}

} // namespace ezio

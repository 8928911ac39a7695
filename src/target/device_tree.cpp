// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/device_tree.hpp"

#include "ezio/util/fd.hpp"
#include "ezio/util/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

namespace ezio {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t sysfs_unit = 512; // whatever the disk's sector size

std::uint64_t number_in(const fs::path& path)
{
    std::uint64_t number = 0;
    std::ifstream(path) >> number;
    return number;
}

dev_t number_of(const fs::path& sysfs)
{
    return parse_device(first_line_of(sysfs / "dev"));
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

std::vector<dev_t> numbers_in(const fs::path& directory)
{
    std::vector<dev_t> numbers;
    for (const fs::path& entry : entries_of(directory)) {
        numbers.push_back(number_of(entry));
    }
    return numbers;
}

std::string path_from(const fs::path& sysfs)
{
    std::error_code none;
    return path_of_device(fs::canonical(sysfs, none).filename().string());
}

// The loop driver's answer, which needs permission to open the device. It is right whatever the mount
// namespace or root directory in which the file was attached.
std::optional<FileId> ask_driver(const LoopDevice& loop)
{
    const Fd fd(::open(loop.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    loop_info64 info{};
    if (!fd || file_id(fd.get()) != file_id_of_device(loop.device) ||
        ::ioctl(fd.get(), LOOP_GET_STATUS64, &info) != 0) {
        return std::nullopt;
    }
    return info.lo_rdevice != 0 ? file_id_of_device(info.lo_rdevice)
                                : FileId{false, info.lo_device, info.lo_inode};
}

std::optional<LoopDevice> loop_device_at(const fs::path& sysfs)
{
    LoopDevice loop;
    loop.below_path = first_line_of(sysfs / "loop" / "backing_file");
    if (loop.below_path.empty()) {
        return std::nullopt;
    }
    loop.path = path_from(sysfs);
    loop.device = number_of(sysfs);
    const std::uint64_t limit = number_in(sysfs / "loop" / "sizelimit");
    loop.range = {number_in(sysfs / "loop" / "offset"), limit != 0 ? limit : largest_offset};
    loop.below = ask_driver(loop);
    if (!loop.below) {
        loop.below = file_id(loop.below_path);
    }
    return loop;
}

bool overlap(const Extent& a, const Extent& b)
{
    return a.offset < b.end() && b.offset < a.end();
}

void go_down(dev_t device, Extent range, bool shared, DeviceStack& stack)
{
    if (!stack.own.insert(device).second) {
        return;
    }
    const fs::path sysfs = sysfs_of(device);
    if (const dev_t disk = disk_of(device); disk != 0) {
        range.offset += number_in(sysfs / "start") * sysfs_unit;
        go_down(disk, range, shared, stack);
    }
    for (const dev_t member : numbers_in(sysfs / "slaves")) {
        go_down(member, {0, number_in(sysfs_of(member) + "/size") * sysfs_unit}, true, stack);
    }
    if (const auto loop = loop_device_at(sysfs)) {
        range.offset += loop->range.offset;
        stack.layers.push_back({*loop, range, shared});
        if (loop->below && loop->below->is_device) {
            go_down(loop->below->device, range, shared, stack);
        }
    }
}

} // namespace

std::string sysfs_of(dev_t device, const DeviceDirectories& directories)
{
    return fmt::format("{}/dev/block/{}:{}", directories.sysfs, major(device), minor(device));
}

dev_t parse_device(const std::string& text)
{
    std::istringstream stream(text);
    unsigned major_number = 0;
    unsigned minor_number = 0;
    char colon = 0;
    const bool fits = stream >> major_number >> colon >> minor_number && colon == ':';
    return fits ? makedev(major_number, minor_number) : 0;
}

std::string path_of_device(std::string name)
{
    std::replace(name.begin(), name.end(), '!', '/');
    return "/dev/" + name;
}

std::string device_path(dev_t device)
{
    return path_from(sysfs_of(device));
}

std::vector<PartitionDevice> partition_devices(dev_t disk)
{
    std::vector<PartitionDevice> partitions;
    for (const fs::path& entry : entries_of(sysfs_of(disk))) {
        std::error_code none;
        if (fs::exists(entry / "partition", none)) {
            partitions.push_back({path_from(entry), number_of(entry), number_in(entry / "start") * sysfs_unit,
                                  number_in(entry / "size") * sysfs_unit,
                                  static_cast<int>(number_in(entry / "partition"))});
        }
    }
    return partitions;
}

dev_t disk_of(dev_t partition)
{
    std::error_code none;
    const fs::path sysfs = fs::canonical(sysfs_of(partition), none);
    return fs::exists(sysfs / "partition", none) ? number_of(sysfs.parent_path()) : 0;
}

std::vector<dev_t> holders_of(dev_t device)
{
    return numbers_in(sysfs_of(device) + "/holders");
}

std::vector<LoopDevice> loop_devices()
{
    std::vector<LoopDevice> loops;
    for (const fs::path& entry : entries_of("/sys/block")) {
        if (auto loop = loop_device_at(entry)) {
            loops.push_back(std::move(*loop));
        }
    }
    return loops;
}

std::vector<LoopDevice> loop_devices_on(const FileId& below, const Extent& range)
{
    auto loops = loop_devices();
    std::erase_if(loops,
                  [&](const LoopDevice& loop) { return loop.below != below || !overlap(loop.range, range); });
    return loops;
}

std::vector<LoopDevice> loop_devices_on(const FileId& below)
{
    return loop_devices_on(below, {0, largest_offset});
}

DeviceStack stack_below(dev_t device)
{
    DeviceStack stack;
    go_down(device, {0, number_in(sysfs_of(device) + "/size") * sysfs_unit}, false, stack);
    return stack;
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/target/device_use.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/fd.hpp"
#include "ezio/util/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <sstream>

#include <fcntl.h>

namespace ezio {

namespace {

// Decodes blanks and the like, which are written as "\040".
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

struct Line {
    dev_t device = 0;
    std::string point, type, source, options;
};

// The lines of mountinfo; malformed ones are skipped.
std::vector<Line> lines_of(std::string_view text)
{
    std::vector<Line> lines;
    while (!text.empty()) {
        const std::string line(take_line(text));
        const std::size_t separator = line.find(" - "); // any number of fields before it
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
            lines.push_back({parse_device(head[2]), unescaped(head[4]), type, unescaped(source), options});
        }
    }
    return lines;
}

// Compares by the kernel's name: FUSE and EROFS have the file that they mount as their source.
bool is_named(const std::string& name, const FileId& id)
{
    return name.starts_with('/') && file_id(name) == id;
}

bool is_on(const Mounted& mounted, const FileId& id)
{
    return (id.is_device && mounted.device == id.device) || is_named(mounted.source, id);
}

bool is_claimed(const std::string& device)
{
    const Fd fd(::open(device.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
    return !fd && errno == EBUSY;
}

// The files and devices that share bytes with this one, and may have loop devices on them.
std::vector<FileId> same_bytes_as(const FileId& id)
{
    std::vector<FileId> ids{id};
    if (id.is_device) {
        for (const PartitionDevice& partition : partition_devices(id.device)) {
            ids.push_back(file_id_of_device(partition.device));
        }
        if (const dev_t disk = disk_of(id.device); disk != 0) {
            ids.push_back(file_id_of_device(disk));
        }
    }
    return ids;
}

// Finds everything on top of a device, or of the layers below it.
class UseFinder {
  public:
    UseFinder() : m_mounts(parse_mountinfo(contents_of("/proc/self/mountinfo"))) {}

    void add(dev_t device)
    {
        if (device == 0 || !m_seen.insert(device).second) {
            return;
        }
        const FileId id = file_id_of_device(device);
        add_mounts_of(id, device_path(device));
        for (const PartitionDevice& partition : partition_devices(device)) {
            add(partition.device);
        }
        for (const dev_t holder : holders_of(device)) {
            add(holder);
        }
        add_loops_on(id);
    }

    void add_file(const FileId& id, const std::string& path, const Extent& range = {0, largest_offset})
    {
        add_mounts_of(id, path);
        add_loops_on(id, range);
    }

    void add_below(const DeviceStack& stack)
    {
        m_seen.insert(stack.own.begin(), stack.own.end());
        for (const Layer& layer : stack.layers) {
            if (!layer.loop.below) {
                continue;
            }
            if (layer.loop.below->is_device) {
                m_seen.erase(layer.loop.below->device);
                add(layer.loop.below->device);
            } else {
                add_file(*layer.loop.below, layer.loop.below_path, layer.range);
            }
        }
    }

    std::vector<DeviceUse> take() { return std::move(m_uses); }

  private:
    void add_mounts_of(const FileId& id, const std::string& path)
    {
        for (const Mounted& mounted : m_mounts) {
            if (is_on(mounted, id)) {
                m_uses.push_back({path, mounted.point, mounted.read_only});
            }
        }
    }

    void add_loops_on(const FileId& below, const Extent& range = {0, largest_offset})
    {
        for (const LoopDevice& loop : loop_devices_on(below, range)) {
            add(loop.device);
        }
    }

    const std::vector<Mounted> m_mounts;
    std::set<dev_t> m_seen;
    std::vector<DeviceUse> m_uses;
};

} // namespace

std::vector<Mounted> parse_mountinfo(std::string_view text)
{
    std::vector<Mounted> mounts;
    for (const Line& line : lines_of(text)) {
        mounts.push_back(
            {line.device, line.source, line.point, line.options == "ro" || line.options.starts_with("ro,")});
    }
    return mounts;
}

bool is_devtmpfs(dev_t device)
{
    const auto lines = lines_of(contents_of("/proc/self/mountinfo"));
    return std::any_of(lines.begin(), lines.end(),
                       [&](const Line& line) { return line.device == device && line.type == "devtmpfs"; });
}

std::string describe_use(const std::string& path, const DeviceUse& use)
{
    return use.device == path ? fmt::format("{} is mounted on {}; unmount it first", path, use.point)
                              : fmt::format("{} is in use: {} is mounted on {}; unmount it first", path,
                                            use.device, use.point);
}

bool is_swap(const FileId& id)
{
    const std::string table = contents_of("/proc/swaps");
    std::string_view text = table;
    (void)take_line(text); // the heading
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        if (is_named(unescaped(line.substr(0, line.find_first_of(" \t"))), id)) {
            return true;
        }
    }
    return false;
}

std::vector<DeviceUse> uses_of(dev_t device)
{
    UseFinder finder;
    finder.add(device);
    finder.add_below(stack_below(device));
    return finder.take();
}

std::vector<DeviceUse> uses_of_file(const std::string& path)
{
    UseFinder finder;
    if (const auto id = file_id(path)) {
        finder.add_file(*id, path);
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
            fmt::format(
                "{} is in use through {} (a mount, also in a container, swap, RAID or LVM); stop that first",
                path, loop));
    }
}

std::string claimed_loop_device(const std::string& path)
{
    const auto id = file_id(path);
    return id ? claimed_loop_device(*id, {0, largest_offset}, {}) : std::string();
}

std::string claimed_loop_device(const FileId& below, const Extent& range, const std::set<dev_t>& own)
{
    for (const FileId& part : same_bytes_as(below)) {
        for (const LoopDevice& loop : part == below ? loop_devices_on(part, range) : loop_devices_on(part)) {
            if (own.count(loop.device) != 0) {
                continue;
            }
            std::string above = is_claimed(loop.path) ? loop.path
                                                      : claimed_loop_device(file_id_of_device(loop.device),
                                                                            {0, largest_offset}, own);
            if (!above.empty()) {
                return above;
            }
        }
    }
    return {};
}

} // namespace ezio

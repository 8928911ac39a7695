// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/disk_contents.hpp"

#include "ezio/disk/blkid_probe.hpp"
#include "ezio/util/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ezio {

namespace {

std::string type_of(blkid_partition partition)
{
    const char* uuid = blkid_partition_get_type_string(partition); // for a GPT
    return uuid != nullptr ? uuid : fmt::format("0x{:x}", blkid_partition_get_type(partition));
}

std::optional<PartitionTable> table_of(const BlkidProbe& probe)
{
    PartitionTable table;
    table.type = for_each_partition(probe, [&](blkid_partition partition, const Extent& extent) {
        table.partitions.push_back({blkid_partition_get_partno(partition), extent.offset, extent.length,
                                    blkid_partition_is_extended(partition) != 0, type_of(partition)});
    });
    return table.type.empty() ? std::nullopt : std::optional(std::move(table));
}

BlkidProbe make_probe(int fd, const std::string& path, std::uint64_t offset, std::uint64_t size)
{
    BlkidProbe probe = make_blkid_probe(fd, {offset, size}, 0);
    if (!probe) {
        throw Error(IoFailure{IoFailure::Operation::open, path, errno});
    }
    blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE);
    blkid_probe_enable_partitions(probe.get(), 1);
    return probe;
}

// Whether a failed blkid_do_safeprobe means several signatures. libblkid 2.38 has a result of its own for
// that; 2.41 returns the same as for a failed read.
std::vector<std::string> signatures_in(const BlkidProbe& probe)
{
    std::vector<std::string> types;
    blkid_reset_probe(probe.get());
    while (blkid_do_probe(probe.get()) == 0) {
        std::string type = blkid_value(probe, "TYPE");
        if (!type.empty()) {
            types.push_back(std::move(type));
        }
    }
    std::sort(types.begin(), types.end());
    return types;
}

Error several_signatures(const std::string& path, const std::vector<std::string>& types)
{
    if (std::any_of(types.begin(), types.end(), [](const std::string& type) { return is_of_discs(type); })) {
        return {ExitStatus::target,
                fmt::format("{} is the image of a disc, with several file systems ({}); take every byte with "
                            "--all",
                            path, fmt::join(types, ", "))};
    }
    return {
        ExitStatus::target,
        fmt::format("{} has signatures of several file systems, see wipefs -n {}; erase the stale ones, or "
                    "take every byte with --all",
                    path, path)};
}

} // namespace

bool is_of_discs(std::string_view type)
{
    return type == "iso9660" || type == "udf";
}

std::string type_of_partition(int fd)
{
    const BlkidProbe probe = make_blkid_probe(fd, {}, 0); // all of it
    if (!probe) {
        return {};
    }
    blkid_probe_enable_superblocks(probe.get(), 0);
    blkid_probe_enable_partitions(probe.get(), 1);
    blkid_probe_set_partitions_flags(probe.get(), BLKID_PARTS_ENTRY_DETAILS);
    return blkid_do_safeprobe(probe.get()) == 0 ? blkid_value(probe, "PART_ENTRY_TYPE") : "";
}

std::string partition_table_type(int fd, const std::string& path, std::uint64_t size)
{
    const BlkidProbe probe = make_probe(fd, path, 0, size);
    blkid_probe_enable_superblocks(probe.get(), 0);
    const auto table = blkid_do_safeprobe(probe.get()) == 0 ? table_of(probe) : std::nullopt;
    return table && !table->partitions.empty() ? table->type : "";
}

DiskContents look_at_contents(int fd, const std::string& path, std::uint64_t offset, std::uint64_t size)
{
    constexpr int found = 0;
    constexpr int nothing = 1;
    const BlkidProbe probe = make_probe(fd, path, offset, size);
    blkid_probe_enable_superblocks(probe.get(), 1);
    errno = 0;
    const int result = blkid_do_safeprobe(probe.get());
    const int error = errno;
    const auto types = result < 0 ? signatures_in(probe) : std::vector<std::string>();
    if (types.size() > 1) {
        throw several_signatures(path, types);
    }
    if (result != found && result != nothing) {
        throw Error(IoFailure{IoFailure::Operation::read, path, error, offset, size});
    }
    if (result == nothing) {
        return {};
    }
    DiskContents contents{blkid_value(probe, "TYPE"), std::nullopt};
    if (!blkid_value(probe, "PTTYPE").empty()) {
        contents.table = table_of(probe);
    }
    return contents;
}

} // namespace ezio

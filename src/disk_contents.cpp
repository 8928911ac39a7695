// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/disk_contents.hpp"

#include "ezio/error.hpp"

#include <blkid/blkid.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <utility>

namespace ezio {

namespace {

using Probe = std::unique_ptr<blkid_struct_probe, decltype(&blkid_free_probe)>;

constexpr std::uint64_t unit = 512; // libblkid counts in these, whatever the device's sectors are

std::string value_of(blkid_probe probe, const char* name)
{
    const char* data = nullptr;
    return blkid_probe_lookup_value(probe, name, &data, nullptr) == 0 ? data : "";
}

std::string type_of(blkid_partition partition)
{
    const char* uuid = blkid_partition_get_type_string(partition); // of a GPT
    return uuid != nullptr ? uuid : fmt::format("0x{:x}", blkid_partition_get_type(partition));
}

// Partitions of the table itself and logical ones; not those that another table inside of a partition may
// have.
std::optional<PartitionTable> table_of(blkid_probe probe)
{
    const blkid_partlist list = blkid_probe_get_partitions(probe);
    const blkid_parttable root = list != nullptr ? blkid_partlist_get_table(list) : nullptr;
    if (root == nullptr) {
        return std::nullopt;
    }
    PartitionTable table{blkid_parttable_get_type(root), {}};
    for (int i = 0; i < blkid_partlist_numof_partitions(list); ++i) {
        const blkid_partition partition = blkid_partlist_get_partition(list, i);
        if (blkid_partition_get_table(partition) != root) {
            continue;
        }
        table.partitions.push_back({blkid_partition_get_partno(partition),
                                    static_cast<std::uint64_t>(blkid_partition_get_start(partition)) * unit,
                                    static_cast<std::uint64_t>(blkid_partition_get_size(partition)) * unit,
                                    blkid_partition_is_extended(partition) != 0, type_of(partition)});
    }
    return table;
}

Probe make_probe(int fd, const std::string& path, std::uint64_t offset, std::uint64_t size)
{
    Probe probe(blkid_new_probe(), &blkid_free_probe);
    if (!probe) {
        throw std::bad_alloc();
    }
    if (blkid_probe_set_device(probe.get(), fd, static_cast<blkid_loff_t>(offset),
                               static_cast<blkid_loff_t>(size)) != 0) {
        throw Error(IoFailure{IoFailure::Operation::open, path, 0, 0, errno});
    }
    blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE);
    blkid_probe_enable_partitions(probe.get(), 1);
    return probe;
}

// What a failure of blkid_do_safeprobe may mean. libblkid 2.38 has a result of its own for it; 2.41 says no
// more than of a read that failed.
std::vector<std::string> signatures_in(blkid_probe probe)
{
    std::vector<std::string> types;
    blkid_reset_probe(probe);
    while (blkid_do_probe(probe) == 0) {
        std::string type = value_of(probe, "TYPE");
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
    const Probe probe(blkid_new_probe(), &blkid_free_probe);
    if (!probe || blkid_probe_set_device(probe.get(), fd, 0, 0) != 0) {
        return {};
    }
    blkid_probe_enable_superblocks(probe.get(), 0);
    blkid_probe_enable_partitions(probe.get(), 1);
    blkid_probe_set_partitions_flags(probe.get(), BLKID_PARTS_ENTRY_DETAILS);
    return blkid_do_safeprobe(probe.get()) == 0 ? value_of(probe.get(), "PART_ENTRY_TYPE") : "";
}

std::string partition_table_type(int fd, const std::string& path, std::uint64_t size)
{
    const Probe probe = make_probe(fd, path, 0, size);
    blkid_probe_enable_superblocks(probe.get(), 0);
    const auto table = blkid_do_safeprobe(probe.get()) == 0 ? table_of(probe.get()) : std::nullopt;
    return table && !table->partitions.empty() ? table->type : "";
}

DiskContents look_at_contents(int fd, const std::string& path, std::uint64_t offset, std::uint64_t size)
{
    constexpr int found = 0;
    constexpr int nothing = 1;
    const Probe probe = make_probe(fd, path, offset, size);
    blkid_probe_enable_superblocks(probe.get(), 1);
    errno = 0;
    const int result = blkid_do_safeprobe(probe.get());
    const int error = errno;
    const auto types = result < 0 ? signatures_in(probe.get()) : std::vector<std::string>();
    if (types.size() > 1) {
        throw several_signatures(path, types);
    }
    if (result != found && result != nothing) {
        throw Error(IoFailure{IoFailure::Operation::read, path, offset, size, error});
    }
    if (result == nothing) {
        return {};
    }
    DiskContents contents{value_of(probe.get(), "TYPE"), std::nullopt};
    if (!value_of(probe.get(), "PTTYPE").empty()) {
        contents.table = table_of(probe.get());
    }
    return contents;
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is on a device, or in a part of it, as libblkid tells from the data itself: a file system, something
// else with a signature (swap, LUKS, LVM, RAID), a partition table, or nothing that is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

struct Partition {
    int number = 0;
    std::uint64_t start = 0;   // bytes from the start of the device
    std::uint64_t size = 0;    // bytes
    bool is_container = false; // an extended partition: it holds the logical ones
    std::string type{};        // of a GPT a UUID in lower case, of an MBR "0x83"; empty: not known
    bool operator==(const Partition&) const = default;
};

struct PartitionTable {
    std::string type; // "gpt", "dos", ...
    std::vector<Partition> partitions;
};

struct DiskContents {
    std::string type; // "ext4", "swap", "crypto_LUKS", ... as libblkid calls it; empty: nothing known
    std::optional<PartitionTable> table;

    [[nodiscard]] bool has_partitions() const { return table && !table->partitions.empty(); }
};

// Whether it is a file system of CDs and DVDs, whose images may well have a partition table, or signatures of
// other file systems, for machines that boot them from a stick or know nothing else.
[[nodiscard]] bool is_of_discs(std::string_view type);

// Looks at [offset, offset + size) of the open device or file `fd`. `path` is for messages.
// Throws Error (ExitStatus::target) when there are signatures of several things and it cannot be told which
// is meant, ExitStatus::io when it cannot be read.
[[nodiscard]] DiskContents look_at_contents(int fd, const std::string& path, std::uint64_t offset,
                                            std::uint64_t size);

// What the table of its disk says that the partition is whose device `fd` is, in the form of Partition::type.
// Empty when it is no partition, or that cannot be told.
[[nodiscard]] std::string type_of_partition(int fd);

// "gpt", "dos", ... of the table with partitions in it that is on the open device or file; empty where none
// is, or it cannot be told. Throws as above when it cannot be read at all.
[[nodiscard]] std::string partition_table_type(int fd, const std::string& path, std::uint64_t size);

} // namespace ezio

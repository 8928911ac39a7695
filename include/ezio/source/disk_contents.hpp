// SPDX-License-Identifier: GPL-2.0-or-later
//
// The contents of a device, or of a part of it, as libblkid recognizes them from the data: a file system,
// something else with a signature (swap, LUKS, LVM, RAID), a partition table, or nothing known.
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
    bool is_container = false; // an extended partition, which contains the logical ones
    std::string type{};        // GPT: a UUID in lower case; MBR: "0x83"; empty: unknown
    bool operator==(const Partition&) const = default;
};

struct PartitionTable {
    std::string type; // "gpt", "dos", ...
    std::vector<Partition> partitions;
};

struct DiskContents {
    std::string type; // libblkid's name: "ext4", "swap", "crypto_LUKS", ...; empty: nothing known
    std::optional<PartitionTable> table;

    [[nodiscard]] bool has_partitions() const { return table && !table->partitions.empty(); }
};

// Whether it is a file system of CDs and DVDs. Their images often also have a partition table, or signatures
// of other file systems, for machines that boot from a USB stick or know only those.
[[nodiscard]] bool is_of_discs(std::string_view type);

// Probes [offset, offset + size) of the open device or file `fd`. `path` is for messages.
// Throws Error: ExitStatus::target when there are signatures of several things and it is unclear which one
// counts, ExitStatus::io when it cannot be read.
[[nodiscard]] DiskContents look_at_contents(int fd, const std::string& path, std::uint64_t offset,
                                            std::uint64_t size);

// The type of the partition whose device is `fd`, from its disk's table, in the form of Partition::type.
// Empty if it is not a partition, or the type is unknown.
[[nodiscard]] std::string type_of_partition(int fd);

// The type ("gpt", "dos", ...) of the partition table on the open device or file, if it has partitions; empty
// if there is none, or it is unclear. Throws as above when it cannot be read.
[[nodiscard]] std::string partition_table_type(int fd, const std::string& path, std::uint64_t size);

} // namespace ezio

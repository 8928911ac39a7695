// SPDX-License-Identifier: GPL-2.0-or-later
//
// Makes the kernel's partitions those of the table that was written: otherwise it goes on with the old ones,
// and what is done next (mount, resize2fs) is done at the old places.
//
// That takes CAP_SYS_ADMIN, which the process gives up before it talks to the network. So a child that is
// made before keeps it, with the disk and one end of a socket, and nothing else: it carries out three kinds
// of requests, all of them on that disk, and ends with its parent.
#pragma once

#include "ezio/disk/partition_list.hpp"
#include "ezio/process/child_process.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

namespace ezio {

struct PartitionRequest {
    enum class Kind : std::uint8_t { reread, remove, add };
    Kind kind = Kind::reread;
    ListedPartition partition{}; // of remove and add
    bool operator==(const PartitionRequest&) const = default;
};

// What leads from the kernel's partitions to those of the table: removals first. Of an extended partition
// only its place counts: the kernel makes it a sector or two long.
[[nodiscard]] std::vector<PartitionRequest> partition_changes(std::span<const ListedPartition> kernel,
                                                              std::span<const ListedPartition> table);

class PartitionRescan {
  public:
    // `fd` is the open disk, `device` its number, `path` what the user calls it. Where there can be no child,
    // the sentence of bring_up_to_date is all that comes of it.
    PartitionRescan(int fd, dev_t device, std::string path);
    ~PartitionRescan(); // waits for the child, which has no more to do
    PartitionRescan(const PartitionRescan&) = delete;
    PartitionRescan& operator=(const PartitionRescan&) = delete;

    // Once: afterwards the child is gone. `table` is what is on the disk. Returns a sentence where the kernel
    // has other partitions nevertheless. A device that the kernel looks for no partitions on, such as most
    // loop devices, is only brought up to date when it has some. Waits up to a second for others to let go of
    // partitions. Any thread.
    [[nodiscard]] std::optional<std::string> bring_up_to_date(std::span<const ListedPartition> table);

  private:
    [[nodiscard]] int request(const PartitionRequest& request) const;
    [[nodiscard]] int reread() const;
    [[nodiscard]] int change_to(std::span<const ListedPartition> table) const;
    void end_child();

    const dev_t m_device;
    const std::string m_path;
    ForkedChild m_child;
};

// For a target that is a whole disk; none for a partition, a file or a directory.
[[nodiscard]] std::unique_ptr<PartitionRescan> make_partition_rescan(int fd, const std::string& path);

} // namespace ezio

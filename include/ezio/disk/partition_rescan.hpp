// SPDX-License-Identifier: GPL-2.0-or-later
//
// Updates the kernel's partitions to those of the new table. Otherwise the kernel keeps the old ones, and
// later steps (mount, resize2fs) work at the old offsets.
//
// This needs CAP_SYS_ADMIN, which the process gives up before it uses the network. So a child that is forked
// before keeps it, with the disk and one end of a socket, and nothing else. It executes three kinds of
// requests, all on that disk, and ends with its parent.
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
    ListedPartition partition{}; // for remove and add
    bool operator==(const PartitionRequest&) const = default;
};

// The requests that change the kernel's partitions to those of the table: removals first. Of an extended
// partition only the offset is compared, because the kernel makes it one or two sectors long.
[[nodiscard]] std::vector<PartitionRequest> partition_changes(std::span<const ListedPartition> kernel,
                                                              std::span<const ListedPartition> table);

class PartitionRescan {
  public:
    // `fd` is the open disk, `device` its number, `path` its name for the user. If there can be no child,
    // bring_up_to_date only returns its sentence.
    PartitionRescan(int fd, dev_t device, std::string path);
    ~PartitionRescan(); // waits for the child, which has nothing more to do
    PartitionRescan(const PartitionRescan&) = delete;
    PartitionRescan& operator=(const PartitionRescan&) = delete;

    // To be called once; the child then ends. `table` is the table on the disk. Returns a sentence if the
    // kernel still has different partitions. A device without partition scanning, such as most loop devices,
    // is only updated if it has partitions. Waits up to a second for other users of partitions. Any thread.
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

// Null unless the target is a whole disk.
[[nodiscard]] std::unique_ptr<PartitionRescan> make_partition_rescan(int fd, const std::string& path);

} // namespace ezio

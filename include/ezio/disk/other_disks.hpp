// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether another disk of the machine has the same UUIDs as the target, or a volume group of LVM2 of the same
// name. A copy has those of its original, and a machine that has both mounts, or boots from, either.
//
// Where udev runs, it has noted the UUIDs of all disks and the names of active volume groups, and nothing has
// to be read. Elsewhere (an initramfs, a container) the disks are read by a child process: one of them may
// not answer.
#pragma once

#include "ezio/disk/lvm_label.hpp"
#include "ezio/process/child_process.hpp"
#include "ezio/target/device_identity.hpp"
#include "ezio/util/clock.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace ezio {

struct KnownUuid {
    std::string what; // "file system", "physical volume", "partition", "partition table"
    std::string value;
    bool operator==(const KnownUuid&) const = default;
};

struct DiskUuids {
    std::string device; // "/dev/sdb1"
    std::vector<KnownUuid> uuids;
    std::vector<VolumeGroup> groups{}; // that it has a physical volume of
    bool operator==(const DiskUuids&) const = default;
};

// What is on an open device of `size` bytes: UUIDs of what it is as a whole, of its partitions, and of what
// is in them. `device` is its path.
[[nodiscard]] DiskUuids read_uuids(std::string device, int fd, std::uint64_t size,
                                   std::uint64_t sector_bytes);

// The same of udev's record of a device, which has lines such as "E:ID_FS_UUID=2f1c".
[[nodiscard]] DiskUuids uuids_in_record(std::string device, std::string_view record);

[[nodiscard]] bool has_physical_volume(const DiskUuids& disk);

// A sentence that names the disks of `others` that have a UUID of `own`; empty: none has.
[[nodiscard]] std::optional<std::string> describe_twins(const DiskUuids& own,
                                                        std::span<const DiskUuids> others);

// The same for those that have another volume group with the name of one of `own`.
[[nodiscard]] std::optional<std::string> describe_same_names(const DiskUuids& own,
                                                             std::span<const DiskUuids> others);

// The names, as in /dev, of block devices that share no bytes with `target` as far as the kernel says: not
// the disk that it is a partition of, its partitions, what it lies on, what lies on it.
[[nodiscard]] std::vector<std::string> unrelated_devices(dev_t target, const DeviceDirectories& directories);

class OtherDisks {
  public:
    // Where there is no udev the child is made now, while there are the privileges to open disks; it waits.
    explicit OtherDisks(dev_t target, DeviceDirectories directories = {});
    OtherDisks(const OtherDisks&) = delete;
    OtherDisks& operator=(const OtherDisks&) = delete;

    struct Findings {
        std::vector<DiskUuids> disks;
        std::string unanswered{}; // the disk that has not answered in time; empty: all did
    };

    // Once. Returns in a little more than `patience`, whatever hangs. Any thread.
    [[nodiscard]] Findings look(milliseconds patience);

  private:
    [[nodiscard]] Findings look_at_records() const;

    const dev_t m_target;
    const DeviceDirectories m_directories;
    std::optional<AskedChild> m_child; // none where there is udev
};

// For a target that is a block device; none for others.
[[nodiscard]] std::unique_ptr<OtherDisks> make_other_disks(int fd);

} // namespace ezio

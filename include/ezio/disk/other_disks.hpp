// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds other disks of the machine with the same UUIDs as the target, or with an LVM2 volume group of the
// same name. A copy has the UUIDs of its original, and a machine with both mounts, or boots from, either.
//
// Where udev runs, it has recorded the UUIDs of all disks and the names of active volume groups, and nothing
// needs to be read. Elsewhere (in an initramfs or a container) a child process reads the disks, because one
// of them may not answer.
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
    std::vector<VolumeGroup> groups{}; // groups with a physical volume on it
    bool operator==(const DiskUuids&) const = default;
};

// The UUIDs of an open device of `size` bytes as a whole, of its partitions, and of their contents. `device`
// is its path.
[[nodiscard]] DiskUuids read_uuids(std::string device, int fd, std::uint64_t size,
                                   std::uint64_t sector_bytes);

// The same from udev's record of a device, with lines such as "E:ID_FS_UUID=2f1c".
[[nodiscard]] DiskUuids uuids_in_record(std::string device, std::string_view record);

[[nodiscard]] bool has_physical_volume(const DiskUuids& disk);

// A sentence that names the disks of `others` that share a UUID with `own`; empty: none.
[[nodiscard]] std::optional<std::string> describe_twins(const DiskUuids& own,
                                                        std::span<const DiskUuids> others);

// A sentence about another volume group with the name of one of `own`; empty: none.
[[nodiscard]] std::optional<std::string> describe_same_names(const DiskUuids& own,
                                                             std::span<const DiskUuids> others);

// The names in /dev of the block devices that share no bytes with `target` according to the kernel: not its
// disk, its partitions, devices below it, or devices on top of it.
[[nodiscard]] std::vector<std::string> unrelated_devices(dev_t target, const DeviceDirectories& directories);

class OtherDisks {
  public:
    // Without udev the child is forked here, while the process still has the privileges to open disks; it
    // waits.
    explicit OtherDisks(dev_t target, DeviceDirectories directories = {});
    OtherDisks(const OtherDisks&) = delete;
    OtherDisks& operator=(const OtherDisks&) = delete;

    struct Findings {
        std::vector<DiskUuids> disks;
        std::string unanswered{}; // the disk that did not answer in time; empty: all did
    };

    // To be called once. Returns after little more than `patience`, whatever hangs. Any thread.
    [[nodiscard]] Findings look(milliseconds patience);

  private:
    [[nodiscard]] Findings look_at_records() const;

    const dev_t m_target;
    const DeviceDirectories m_directories;
    std::optional<AskedChild> m_child; // none if udev runs
};

// Null unless the target is a block device.
[[nodiscard]] std::unique_ptr<OtherDisks> make_other_disks(int fd);

} // namespace ezio

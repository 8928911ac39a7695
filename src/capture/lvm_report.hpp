// SPDX-License-Identifier: GPL-2.0-or-later
//
// LVM2's report about physical volumes and their volume groups: which of their bytes belong to which logical
// volume.
#pragma once

#include "ezio/image/extent_map.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

struct PhysicalVolume {
    std::string device; // LVM2's path for it; not a path if it is missing
    std::string uuid;
    std::string group;             // the name of its volume group; empty: none
    bool missing = false;          // belongs to the group, but was not found
    bool metadata_missing = false; // known only from other volumes of its group, by their metadata
    std::uint64_t data_begin = 0;  // bytes from its start to the first of LVM2's extents
    std::uint64_t data_end = 0;    // and to the end of the last one
    std::uint64_t free_bytes = 0;  // extents in no logical volume
    bool operator==(const PhysicalVolume&) const = default;
};

// A contiguous part of a logical volume on a physical one.
struct VolumePart {
    std::string physical; // UUID
    std::uint64_t offset; // bytes from the start of the logical volume
    Extent extent;        // bytes from the start of the physical one
    bool operator==(const VolumePart&) const = default;
};

struct LogicalVolume {
    std::string name;       // "vg0/root"
    std::string dm_uuid;    // the device mapper's UUID while it is active
    std::uint64_t size = 0; // bytes
    std::string kind;       // empty: linear; otherwise what it is, or is in: "thin, pool, data", "striped"
    std::vector<VolumePart> parts; // in the order of the volume, adjacent ones merged

    [[nodiscard]] std::uint64_t length_of_parts() const;
    bool operator==(const LogicalVolume&) const = default;
};

struct LvmReport {
    std::vector<PhysicalVolume> physical;
    std::vector<LogicalVolume> logical; // those with extents of their own
};

// The fields of `pvs --segments` that parse_lvm_report needs, in bytes.
[[nodiscard]] std::string lvm_report_fields();

// Throws Error (ExitStatus::target) when the text is not such a report in JSON, or is inconsistent.
[[nodiscard]] LvmReport parse_lvm_report(std::string_view json);

// The last known device of a missing physical volume, from LVM2's messages; empty: unknown.
[[nodiscard]] std::string last_place_of(const std::string& uuid, std::string_view errors);

} // namespace ezio

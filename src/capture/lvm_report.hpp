// SPDX-License-Identifier: GPL-2.0-or-later
//
// What LVM2 reports of physical volumes, one of its own or several: which bytes of them belong to which
// logical volume.
#pragma once

#include "ezio/image/extent_map.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

struct PhysicalVolume {
    std::string device; // its path, as LVM2 calls it; of a missing one no path
    std::string uuid;
    std::string group;             // the name of its volume group; empty: it is in none
    bool missing = false;          // the group has it, but it was not there
    bool metadata_missing = false; // it is in a group that is not known: only its other volumes tell of it
    std::uint64_t data_begin = 0;  // bytes from its start: of the first extent (of LVM2's)
    std::uint64_t data_end = 0;    // and behind the last one
    std::uint64_t free_bytes = 0;  // of the extents, what is in no logical volume
    bool operator==(const PhysicalVolume&) const = default;
};

// A part of a logical volume that is in one piece on a physical one.
struct VolumePart {
    std::string physical; // UUID
    std::uint64_t offset; // bytes from the start of the logical volume
    Extent extent;        // bytes from the start of the physical one
    bool operator==(const VolumePart&) const = default;
};

struct LogicalVolume {
    std::string name;       // "vg0/root"
    std::string dm_uuid;    // what the device mapper calls it while it is active
    std::uint64_t size = 0; // bytes
    std::string kind;       // empty: linear. What else it is, or is a part of: "thin, pool, data", "striped"
    std::vector<VolumePart> parts; // in the order of the volume, touching ones merged

    [[nodiscard]] std::uint64_t length_of_parts() const;
    bool operator==(const LogicalVolume&) const = default;
};

struct LvmReport {
    std::vector<PhysicalVolume> physical;
    std::vector<LogicalVolume> logical; // those with extents of their own
};

// The fields of `pvs --segments` that parse_lvm_report wants, in bytes.
[[nodiscard]] std::string lvm_report_fields();

// Throws Error (ExitStatus::target) when the text is no such report in JSON, or makes no sense.
[[nodiscard]] LvmReport parse_lvm_report(std::string_view json);

// Where LVM2 last saw the physical volume, by what it says of one that is missing; empty: it does not say.
[[nodiscard]] std::string last_place_of(const std::string& uuid, std::string_view errors);

} // namespace ezio

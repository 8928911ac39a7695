// SPDX-License-Identifier: GPL-2.0-or-later
//
// The identity of a disk or partition: its contents and their UUIDs.
#pragma once

#include <string>

namespace ezio {

// Names and UUIDs as libblkid reports them; empty if there is none.
struct DiskIdentity {
    std::string type;       // of the file system or other contents: "ext4", "crypto_LUKS"
    std::string uuid;       // of the file system
    std::string table;      // the kind of partition table: "gpt", "dos"
    std::string table_uuid; // of the table

    [[nodiscard]] bool empty() const { return type.empty() && table.empty(); }
    bool operator==(const DiskIdentity&) const = default;
};

} // namespace ezio

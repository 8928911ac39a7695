// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/units.hpp"

#include <cstdint>
#include <string>

namespace ezio {

// Which parts of a source to carry.
struct SourceOptions {
    std::string source;      // device, image file, directory, or torrent.info
    bool all = false;        // every byte, without examining the source
    bool skip_holes = false; // of an image file, with `all`
    std::string extents;     // file with the extents to carry; empty: find them
    bool force = false;      // even if it changes meanwhile or is not clean
    std::uint64_t memory = 256_MiB;

    bool operator==(const SourceOptions&) const = default;
};

} // namespace ezio

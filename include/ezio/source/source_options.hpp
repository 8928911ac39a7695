// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/util/units.hpp"

#include <cstdint>
#include <string>

namespace ezio {

// What of a source to carry.
struct SourceOptions {
    std::string source;      // device, image file, directory, or torrent.info
    bool all = false;        // every byte, without a look at what is on the source
    bool skip_holes = false; // of an image file, with `all`
    std::string extents;     // file that says what to carry; empty: find out
    bool force = false;      // although it changes, or was not left in order
    std::uint64_t memory = 256_MiB;

    bool operator==(const SourceOptions&) const = default;
};

} // namespace ezio

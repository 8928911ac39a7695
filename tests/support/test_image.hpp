// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/image/image.hpp"
#include "ezio/torrent/torrent_encoder.hpp"

#include <string>
#include <utility>
#include <vector>

namespace ezio::test {

// An image of these extents, called "sda1". Its hashes are all zero: right in number only.
[[nodiscard]] inline Image image_of(std::vector<Extent> extents, std::uint64_t piece_length = block_bytes)
{
    Image image;
    image.name = "sda1";
    image.piece_length = piece_length;
    image.map = ExtentMap(extents);
    image.hashes.resize((image.map.payload_size() + piece_length - 1) / piece_length);
    for (const Extent& extent : extents) {
        image.extent_names.push_back(extent_name(extent.offset));
    }
    image.extents = std::move(extents);
    return image;
}

} // namespace ezio::test

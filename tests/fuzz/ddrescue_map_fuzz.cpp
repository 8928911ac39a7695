// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/source/ddrescue_map.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/require.hpp"

using namespace ezio;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    try {
        const DdrescueMap map = parse_ddrescue_map({reinterpret_cast<const char*>(data), size}, "map");
        const ExtentMap extents(map.used); // does not throw: overlaps are refused before
        require(extents.device_end() <= map.end);
        require(extents.used() == map.used); // in order and merged
    } catch (const Error& error) {
        require(error.status() == ExitStatus::torrent);
        require(std::string_view(error.what()).starts_with("map:"));
    }
    return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/torrent_file.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/require.hpp"

using namespace ezio;

namespace {

void check(const LoadedTorrent& torrent)
{
    const Image& image = torrent.image;
    require(image.map.payload_size() > 0 && image.piece_count() > 0);
    require(image.extents.size() == image.extent_names.size());
    std::uint64_t bytes = 0;
    for (std::uint32_t piece = 0; piece < image.piece_count(); ++piece) {
        bytes += image.piece_size(piece);
    }
    require(bytes == image.map.payload_size());
    image.map.for_each(0, image.map.payload_size(), [&](const ExtentMap::Range& range) {
        require(range.payload_offset + range.length <= image.map.payload_size());
        require(range.device_offset + range.length <= image.map.device_end());
        bytes -= range.length;
    });
    require(bytes == image.map.padding_bytes());
    require(image.hashes.size() == image.piece_count());
    require(image.v2_pieces.empty() || image.v2_pieces.size() == image.piece_count());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    try {
        check(parse_torrent({reinterpret_cast<const char*>(data), size}, "fuzz.torrent"));
    } catch (const Error& error) {
        require(error.status() == ExitStatus::torrent);
        require(std::string_view(error.what()).find("fuzz.torrent") != std::string_view::npos);
    }
    return 0;
}

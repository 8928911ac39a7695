// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/capture/partclone_info.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/require.hpp"

using namespace ezio;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    try {
        const PartcloneInfo info =
            parse_partclone_info({reinterpret_cast<const char*>(data), size}, "torrent.info");
        const ExtentMap map(info.extents); // does not throw: overlaps are refused before
        require(map.payload_size() > 0);
        require(info.hashes.size() ==
                (map.payload_size() + PartcloneInfo::piece_length - 1) / PartcloneInfo::piece_length);
    } catch (const Error& error) {
        require(error.status() == ExitStatus::torrent);
        require(std::string_view(error.what()).find("torrent.info") != std::string_view::npos);
    }
    return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/read_torrent.hpp"

#include "ezio/torrent/magnet.hpp"
#include "ezio/torrent/torrent_file.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/read_file.hpp"

#include <fmt/format.h>

namespace ezio {

std::string read_torrent(const std::string& path_or_url, const StopSignal& stop,
                         const DownloadPatience& patience)
{
    if (is_magnet(path_or_url)) {
        throw Error(
            ExitStatus::usage,
            fmt::format("{}: only fetch takes a magnet link; with --save-torrent it keeps the torrent",
                        path_or_url));
    }
    return is_http_url(path_or_url) ? http_download(path_or_url, largest_torrent, stop, patience)
                                    : read_file(path_or_url, largest_torrent);
}

} // namespace ezio

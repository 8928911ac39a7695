// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/read_torrent.hpp"

#include "ezio/torrent/magnet.hpp"
#include "ezio/torrent/torrent_file.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/read_file.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace ezio {

std::string read_torrent(const std::string& path_or_url, const StopSignal& stop,
                         const DownloadPatience& patience, const std::optional<TorrentMemory>& memory)
{
    if (is_magnet(path_or_url)) {
        throw Error(
            ExitStatus::usage,
            fmt::format("{}: only fetch takes a magnet link; with --save-torrent it saves the torrent",
                        path_or_url));
    }
    const auto watch = [&](std::uint64_t so_far) {
        if (memory) {
            memory->refuse_longer(so_far, path_or_url);
        }
    };
    if (is_http_url(path_or_url)) {
        return http_download(path_or_url, largest_torrent, stop, patience, watch);
    }
    std::error_code error;
    if (const auto size = std::filesystem::file_size(path_or_url, error); memory && !error) {
        memory->refuse_long(size, path_or_url);
    }
    return read_file(path_or_url, largest_torrent, watch);
}

} // namespace ezio

// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/process/stop_signal.hpp"
#include "ezio/torrent/http_download.hpp"
#include "ezio/torrent/torrent_memory.hpp"

#include <optional>
#include <string>

namespace ezio {

// The bytes of a torrent that is named by a path or by an http(s) URL, for whose download there is
// `patience`, and for whose contents there is `memory`. Throws Error as read_file, http_download and
// TorrentMemory do, and ExitStatus::usage for a magnet link: what it stands for is with peers.
[[nodiscard]] std::string read_torrent(const std::string& path_or_url, const StopSignal& stop,
                                       const DownloadPatience& patience = {},
                                       const std::optional<TorrentMemory>& memory = {});

} // namespace ezio

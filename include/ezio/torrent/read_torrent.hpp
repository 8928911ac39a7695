// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/process/stop_signal.hpp"
#include "ezio/torrent/http_download.hpp"
#include "ezio/torrent/torrent_memory.hpp"

#include <optional>
#include <string>

namespace ezio {

// The bytes of a torrent, read from a path or downloaded from an http(s) URL within `patience`, and limited
// by `memory`. Throws Error as read_file, http_download and TorrentMemory do, and ExitStatus::usage for a
// magnet link, whose torrent only peers have.
[[nodiscard]] std::string read_torrent(const std::string& path_or_url, const StopSignal& stop,
                                       const DownloadPatience& patience = {},
                                       const std::optional<TorrentMemory>& memory = {});

} // namespace ezio

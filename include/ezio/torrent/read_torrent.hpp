// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/process/stop_signal.hpp"
#include "ezio/torrent/http_download.hpp"

#include <string>

namespace ezio {

// The bytes of a torrent that is named by a path or by an http(s) URL, for whose download there is
// `patience`. Throws Error as read_file and http_download do, and ExitStatus::usage for a magnet link: what
// it stands for is with peers.
[[nodiscard]] std::string read_torrent(const std::string& path_or_url, const StopSignal& stop,
                                       const DownloadPatience& patience = {});

} // namespace ezio

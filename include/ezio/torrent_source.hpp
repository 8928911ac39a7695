// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/stop_signal.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace ezio {

// The bytes of a torrent that is named by a path or by an http(s) URL, of which the download may take
// `patience`. Throws Error as read_file and http_download do, and ExitStatus::usage for a magnet link: what
// it stands for is with peers.
[[nodiscard]] std::string read_torrent(const std::string& path_or_url, const StopSignal& stop,
                                       std::optional<std::chrono::milliseconds> patience = std::nullopt);

} // namespace ezio

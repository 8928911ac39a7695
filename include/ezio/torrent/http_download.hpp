// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ezio/process/stop_signal.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ezio {

// How long to wait, if not for ever.
struct DownloadPatience {
    std::optional<std::chrono::milliseconds> all{};     // from the start to the end
    std::optional<std::chrono::milliseconds> silence{}; // without anything received; looked at every second
};

[[nodiscard]] bool is_http_url(std::string_view text);

// What an http:// or https:// URL holds, of at most `limit` bytes; redirects to such URLs are followed.
// Throws Error: ExitStatus::network when the server cannot be reached or is silent for 30 seconds,
// ExitStatus::torrent when it has no such file or a larger one, ExitStatus::stalled when `patience` is over,
// and as `stop` says.
[[nodiscard]] std::string http_download(const std::string& url, std::uint64_t limit, const StopSignal& stop,
                                        const DownloadPatience& patience);

} // namespace ezio

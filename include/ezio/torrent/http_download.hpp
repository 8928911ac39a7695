// SPDX-License-Identifier: GPL-2.0-or-later
//
// Downloads torrents by URL with curl(1): this process parses no TLS and no HTTP, and a download that hangs,
// even in a name server, ends with its process. curl has the privileges of the calling thread.
#pragma once

#include "ezio/process/stop_signal.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ezio {

// How long to wait; none: forever.
struct DownloadPatience {
    std::optional<std::chrono::milliseconds> all{};     // from the start to the end
    std::optional<std::chrono::milliseconds> silence{}; // while nothing is received
};

[[nodiscard]] bool is_http_url(std::string_view text);

// Downloads an http:// or https:// URL of at most `limit` bytes. Redirects to such URLs are followed, from
// https only to https. Throws Error: ExitStatus::network when the server cannot be reached or is silent for
// 30 seconds; ExitStatus::torrent when it has no such file or a larger one, or curl is not installed;
// ExitStatus::stalled when `patience` is over; and the errors of `stop` and `watch`. `watch` is called
// repeatedly with the number of bytes received.
[[nodiscard]] std::string http_download(const std::string& url, std::uint64_t limit, const StopSignal& stop,
                                        const DownloadPatience& patience,
                                        const std::function<void(std::uint64_t)>& watch);

// Why curl ended with `status`, in words: its first error, without earlier warnings and later advice.
[[nodiscard]] std::string curl_reason(std::string_view errors, int status);

} // namespace ezio

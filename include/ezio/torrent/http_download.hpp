// SPDX-License-Identifier: GPL-2.0-or-later
//
// Torrents by URL, by way of curl(1): no TLS and no HTTP is parsed in this process, and a download that
// hangs, in a name server too, ends with its process. It has the privileges of the thread that calls.
#pragma once

#include "ezio/process/stop_signal.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ezio {

// How long to wait, if not for ever.
struct DownloadPatience {
    std::optional<std::chrono::milliseconds> all{};     // from the start to the end
    std::optional<std::chrono::milliseconds> silence{}; // without anything received
};

[[nodiscard]] bool is_http_url(std::string_view text);

// What an http:// or https:// URL holds, of at most `limit` bytes; redirects to such URLs are followed, from
// https only to https. Throws Error: ExitStatus::network when the server cannot be reached or is silent for
// 30 seconds, ExitStatus::torrent when it has no such file or a larger one, or there is no curl,
// ExitStatus::stalled when `patience` is over, and as `stop` and `watch` say. `watch` is called again and
// again with the number of bytes that have come.
[[nodiscard]] std::string http_download(const std::string& url, std::uint64_t limit, const StopSignal& stop,
                                        const DownloadPatience& patience,
                                        const std::function<void(std::uint64_t)>& watch);

// Why curl ended with `status`, in words: those of the first of its errors, without the warnings before and
// the advice behind it.
[[nodiscard]] std::string curl_reason(std::string_view errors, int status);

} // namespace ezio

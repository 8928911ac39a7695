// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/http_download.hpp"

#include "ezio/error.hpp"
#include "ezio/units.hpp"

#if EZIO_HTTP
#include <curl/curl.h>
#endif
#include <fmt/format.h>

#include <memory>
#include <new>

namespace ezio {

bool is_http_url(std::string_view text)
{
    return text.starts_with("http://") || text.starts_with("https://");
}

#if !EZIO_HTTP

std::string http_download(const std::string& url, std::uint64_t /*limit*/, const StopSignal& /*stop*/)
{
    throw Error(ExitStatus::usage,
                fmt::format("{}: this ezio-cli was built without HTTP; download the torrent by other means, "
                            "as with wget, and name the file",
                            url));
}

#else

namespace {

constexpr long connect_seconds = 10;
constexpr long silent_seconds = 30;
constexpr long most_redirects = 5;

struct Download {
    std::string bytes;
    std::uint64_t limit;
    const StopSignal& stop;
    bool too_large = false;
};

// Both callbacks are called by C: nothing may be thrown through it.

std::size_t take(char* data, std::size_t size, std::size_t count, void* user) noexcept
{
    auto& download = *static_cast<Download*>(user);
    download.too_large = size * count > download.limit - download.bytes.size();
    if (download.too_large) {
        return 0; // ends the transfer
    }
    download.bytes.append(data, size * count);
    return size * count;
}

int go_on(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept
{
    return static_cast<Download*>(user)->stop.received() != 0 ? 1 : 0;
}

// Every option is known to libcurl 7.85 and later; a failure would be out of memory.
template <typename Value>
void set(CURL* curl, CURLoption option, Value value)
{
    if (curl_easy_setopt(curl, option, value) != CURLE_OK) {
        throw std::bad_alloc();
    }
}

} // namespace

std::string http_download(const std::string& url, std::uint64_t limit, const StopSignal& stop)
{
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
    if (initialised != CURLE_OK || curl == nullptr) {
        throw std::bad_alloc();
    }
    Download download{{}, limit, stop};
    char reason[CURL_ERROR_SIZE] = "";
    set(curl.get(), CURLOPT_URL, url.c_str());
    set(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
    set(curl.get(), CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);
    set(curl.get(), CURLOPT_MAXREDIRS, most_redirects);
    set(curl.get(), CURLOPT_FAILONERROR, 1L);
    set(curl.get(), CURLOPT_USERAGENT, "ezio-cli/" EZIO_VERSION);
    set(curl.get(), CURLOPT_NOSIGNAL, 1L);
    set(curl.get(), CURLOPT_CONNECTTIMEOUT, connect_seconds);
    set(curl.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(curl.get(), CURLOPT_LOW_SPEED_TIME, silent_seconds);
    set(curl.get(), CURLOPT_ERRORBUFFER, &reason[0]);
    set(curl.get(), CURLOPT_WRITEFUNCTION, &take);
    set(curl.get(), CURLOPT_WRITEDATA, static_cast<void*>(&download));
    set(curl.get(), CURLOPT_XFERINFOFUNCTION, &go_on);
    set(curl.get(), CURLOPT_XFERINFODATA, static_cast<void*>(&download));
    set(curl.get(), CURLOPT_NOPROGRESS, 0L);
    const CURLcode result = curl_easy_perform(curl.get());
    stop.throw_if_received();
    if (download.too_large) {
        throw Error(ExitStatus::torrent, fmt::format("{} has more than {}; that is no torrent", url, format_bytes(limit)));
    }
    if (result != CURLE_OK) {
        const std::string why = reason[0] != '\0' ? &reason[0] : curl_easy_strerror(result);
        const bool answered = result == CURLE_HTTP_RETURNED_ERROR;
        throw Error(answered ? ExitStatus::torrent : ExitStatus::network,
                    fmt::format("{} cannot be downloaded: {}", url, why));
    }
    return std::move(download.bytes);
}

#endif

} // namespace ezio

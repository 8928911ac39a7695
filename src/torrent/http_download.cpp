// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/http_download.hpp"

#include "ezio/util/clock.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/units.hpp"

#include <curl/curl.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

namespace ezio {

namespace {

constexpr long connect_seconds = 10;
constexpr long silent_seconds = 30;
constexpr long most_redirects = 5;

template <typename Function>
Function find(void* library, const char* name, const std::string& url)
{
    void* const symbol = library != nullptr ? ::dlsym(library, name) : nullptr;
    if (symbol == nullptr) {
        throw Error(
            ExitStatus::torrent,
            fmt::format("{} cannot be downloaded without libcurl (on Debian: apt install libcurl4): {}", url,
                        ::dlerror()));
    }
    return reinterpret_cast<Function>(symbol);
}

// libcurl, loaded when it is needed: it brings two dozen libraries, which would cost every start of the
// program 30 ms of a CPU (virtual machine, slow page faults) and an initramfs some MiB, for what few
// transfers need.
struct Curl {
    explicit Curl(const std::string& url) // which needs it
        : library(::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL)),
          global_init(find<decltype(global_init)>(library, "curl_global_init", url)),
          easy_init(find<decltype(easy_init)>(library, "curl_easy_init", url)),
          easy_cleanup(find<decltype(easy_cleanup)>(library, "curl_easy_cleanup", url)),
          easy_setopt(find<decltype(easy_setopt)>(library, "curl_easy_setopt", url)),
          easy_perform(find<decltype(easy_perform)>(library, "curl_easy_perform", url)),
          easy_strerror(find<decltype(easy_strerror)>(library, "curl_easy_strerror", url))
    {
        if (global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
            throw std::bad_alloc();
        }
    }

    void* const library; // stays until the process ends
    CURLcode (*const global_init)(long);
    CURL* (*const easy_init)();
    void (*const easy_cleanup)(CURL*);
    CURLcode (*const easy_setopt)(CURL*, CURLoption, ...);
    CURLcode (*const easy_perform)(CURL*);
    const char* (*const easy_strerror)(CURLcode);
};

struct Download {
    std::string bytes;
    std::uint64_t limit;
    const StopSignal& stop;
    const DownloadPatience& patience;
    Clock::time_point last_received = Clock::now();
    bool too_large = false;

    [[nodiscard]] bool is_silent_too_long() const
    {
        return patience.silence && Clock::now() - last_received >= *patience.silence;
    }
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
    download.last_received = Clock::now();
    return size * count;
}

int go_on(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept
{
    const auto& download = *static_cast<const Download*>(user);
    return download.stop.received() != 0 || download.is_silent_too_long() ? 1 : 0;
}

// Every option is known to libcurl 7.85 and later; a failure would be out of memory.
template <typename Value>
void set(const Curl& library, CURL* curl, CURLoption option, Value value)
{
    if (library.easy_setopt(curl, option, value) != CURLE_OK) {
        throw std::bad_alloc();
    }
}

// Whom the environment says to trust, as curl(1) has it, which libcurl itself does not look at; nullptr: it
// does not say.
const char* trusted_certificates()
{
    for (const char* variable : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
        if (const char* file = std::getenv(variable); file != nullptr && *file != '\0') {
            return file;
        }
    }
    return nullptr;
}

} // namespace

bool is_http_url(std::string_view text)
{
    return text.starts_with("http://") || text.starts_with("https://");
}

std::string http_download(const std::string& url, std::uint64_t limit, const StopSignal& stop,
                          const DownloadPatience& patience)
{
    const Clock::time_point started = Clock::now();
    static const Curl library(url);
    const std::unique_ptr<CURL, void (*)(CURL*)> curl(library.easy_init(), library.easy_cleanup);
    if (curl == nullptr) {
        throw std::bad_alloc();
    }
    Download download{{}, limit, stop, patience};
    char reason[CURL_ERROR_SIZE] = "";
    const auto option = [&](CURLoption which, auto value) { set(library, curl.get(), which, value); };
    option(CURLOPT_URL, url.c_str());
    option(CURLOPT_PROTOCOLS_STR, "http,https");
    // Who was promised TLS keeps it.
    option(CURLOPT_REDIR_PROTOCOLS_STR, url.starts_with("https://") ? "https" : "http,https");
    if (const char* certificates = trusted_certificates()) {
        option(CURLOPT_CAINFO, certificates);
    }
    option(CURLOPT_FOLLOWLOCATION, 1L);
    option(CURLOPT_MAXREDIRS, most_redirects);
    option(CURLOPT_FAILONERROR, 1L);
    option(CURLOPT_USERAGENT, "ezio-cli/" EZIO_VERSION);
    option(CURLOPT_NOSIGNAL, 1L);
    option(CURLOPT_CONNECTTIMEOUT, connect_seconds);
    if (patience.all) {
        option(CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(patience.all->count()))); // 0 would be none
    }
    option(CURLOPT_LOW_SPEED_LIMIT, 1L);
    option(CURLOPT_LOW_SPEED_TIME, silent_seconds);
    option(CURLOPT_ERRORBUFFER, &reason[0]);
    option(CURLOPT_WRITEFUNCTION, &take);
    option(CURLOPT_WRITEDATA, static_cast<void*>(&download));
    option(CURLOPT_XFERINFOFUNCTION, &go_on);
    option(CURLOPT_XFERINFODATA, static_cast<void*>(&download));
    option(CURLOPT_NOPROGRESS, 0L);
    const CURLcode result = library.easy_perform(curl.get());
    stop.throw_if_received();
    if (download.too_large) {
        throw Error(ExitStatus::torrent,
                    fmt::format("{} has more than {}; that is no torrent", url, format_bytes(limit)));
    }
    if (result == CURLE_OPERATION_TIMEDOUT && patience.all && Clock::now() - started >= *patience.all) {
        throw Error(ExitStatus::stalled,
                    fmt::format("{} is not downloaded after {}", url, format_duration(*patience.all)));
    }
    if (result == CURLE_ABORTED_BY_CALLBACK && patience.silence) {
        throw Error(ExitStatus::stalled, fmt::format("{} is not downloaded: nothing came for {}", url,
                                                     format_duration(*patience.silence)));
    }
    if (result != CURLE_OK) {
        const std::string why = reason[0] != '\0' ? &reason[0] : library.easy_strerror(result);
        const bool answered = result == CURLE_HTTP_RETURNED_ERROR;
        throw Error(answered ? ExitStatus::torrent : ExitStatus::network,
                    fmt::format("{} cannot be downloaded: {}", url, why));
    }
    return std::move(download.bytes);
}

} // namespace ezio

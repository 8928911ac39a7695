// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/torrent/http_download.hpp"

#include "ezio/process/subprocess.hpp"
#include "ezio/util/clock.hpp"
#include "ezio/util/error.hpp"
#include "ezio/util/units.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <vector>

namespace ezio {

namespace {

constexpr const char* user_agent = "ezio-cli/" EZIO_VERSION;
constexpr int status_of_http_errors = 22; // curl's, if the server answered with one

// The file of certificates that the environment says to trust; empty: none. curl itself would prefer
// SSL_CERT_DIR, which systems set, to SSL_CERT_FILE.
std::string trusted_certificates()
{
    for (const char* variable : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
        if (const char* file = std::getenv(variable); file != nullptr && *file != '\0') {
            return file;
        }
    }
    return {};
}

// Overrides curl's defaults, which would take a "not found" page for the torrent, and would follow redirects
// to file://. curl itself uses the proxy variables of the environment.
std::vector<std::string> curl_command(const std::string& curl, const std::string& url)
{
    std::vector<std::string> command{
        curl,
        "--disable", // ignores ~/.curlrc; has to come first
        "--silent",
        "--show-error",
        "--fail",
        "--no-buffer", // otherwise slow data would seem to be missing
        "--globoff",
        "--proto",
        "=http,https",
        "--proto-redir",
        url.starts_with("https://") ? "=https" : "=http,https", // https never turns into http
        "--location",
        "--max-redirs",
        "5",
        "--connect-timeout",
        "10",
        "--speed-limit",
        "1",
        "--speed-time",
        "30",
        "--user-agent",
        user_agent,
        "--url",
        url};
    if (const std::string file = trusted_certificates(); !file.empty()) {
        command.insert(command.end(), {"--cacert", file});
    }
    return command;
}

// Checks a download several times a second, and throws to end it.
class DownloadWatch {
  public:
    DownloadWatch(const std::string& url, std::uint64_t limit, const StopSignal& stop,
                  const DownloadPatience& patience)
        : m_url(url), m_limit(limit), m_stop(stop), m_patience(patience)
    {}

    void look_at(const std::string& received)
    {
        m_stop.throw_if_received();
        if (received.size() > m_limit) {
            throw Error(ExitStatus::torrent, fmt::format("{} is larger than {}; that is not a torrent", m_url,
                                                         format_bytes(m_limit)));
        }
        const Clock::time_point now = Clock::now();
        if (received.size() != m_received) {
            m_received = received.size();
            m_last_received = now;
        }
        if (m_patience.all && now - m_started >= *m_patience.all) {
            throw Error(ExitStatus::stalled, fmt::format("{} was not downloaded within {}", m_url,
                                                         format_duration(*m_patience.all)));
        }
        if (m_patience.silence && now - m_last_received >= *m_patience.silence) {
            throw Error(ExitStatus::stalled, fmt::format("{} was not downloaded: nothing arrived for {}",
                                                         m_url, format_duration(*m_patience.silence)));
        }
    }

  private:
    const std::string& m_url;
    const std::uint64_t m_limit;
    const StopSignal& m_stop;
    const DownloadPatience& m_patience;
    const Clock::time_point m_started = Clock::now();
    Clock::time_point m_last_received = m_started;
    std::size_t m_received = 0;
};

} // namespace

bool is_http_url(std::string_view text)
{
    return text.starts_with("http://") || text.starts_with("https://");
}

std::string curl_reason(std::string_view errors, int status)
{
    const std::size_t begin = errors.find("curl: (");
    const std::size_t text = begin == std::string_view::npos ? begin : errors.find(") ", begin);
    if (text == std::string_view::npos) {
        return fmt::format("curl ended with status {}", status);
    }
    errors.remove_prefix(text + 2);
    return std::string(errors.substr(0, errors.find('\n')));
}

std::string http_download(const std::string& url, std::uint64_t limit, const StopSignal& stop,
                          const DownloadPatience& patience, const std::function<void(std::uint64_t)>& watch)
{
    const std::string curl = find_program("curl");
    if (curl.empty()) {
        throw Error(ExitStatus::torrent,
                    fmt::format("{} cannot be downloaded: curl is not installed; install it (apt install "
                                "curl), or copy the torrent here",
                                url));
    }
    DownloadWatch limits(url, limit, stop, patience);
    ProcessResult done = run_process(curl_command(curl, url), [&](const ProcessResult& so_far) {
        watch(so_far.output.size());
        limits.look_at(so_far.output);
    });
    if (done.status != 0) {
        throw Error(done.status == status_of_http_errors ? ExitStatus::torrent : ExitStatus::network,
                    fmt::format("{} cannot be downloaded: {}", url, curl_reason(done.errors, done.status)));
    }
    return std::move(done.output);
}

} // namespace ezio

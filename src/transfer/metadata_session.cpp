// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/transfer/metadata_session.hpp"

#include "ezio/peers/reply_limits.hpp"
#include "ezio/peers/tcp_preference.hpp"
#include "ezio/report/warn_once.hpp"
#include "ezio/session/network_session.hpp"
#include "ezio/session/session_alerts.hpp"
#include "ezio/torrent/magnet.hpp"
#include "ezio/torrent/torrent_file.hpp"
#include "ezio/util/units.hpp"
#include "peer_watch.hpp"
#include "transfer_notes.hpp"
#include "transfer_policy.hpp"

#include <fmt/format.h>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/bencode.hpp>
#include <libtorrent/disabled_disk_io.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/torrent_status.hpp>

#include <algorithm>
#include <iterator>
#include <variant>
#include <vector>

namespace ezio {

namespace {

constexpr milliseconds metadata_tick{250};
constexpr milliseconds peer_list_interval{1000};

std::string to_hex(const lt::sha1_hash& hash)
{
    Sha1Digest digest;
    std::copy(hash.begin(), hash.end(), digest.begin());
    return ezio::to_hex(digest);
}

std::uint64_t metadata_limit(const MetadataOptions& options)
{
    return std::min(largest_torrent, options.memory / 4);
}

// The most that fit into the memory; their number is not known yet.
std::uint32_t most_pieces(const MetadataOptions& options)
{
    return TorrentMemory(options.memory).most_pieces();
}

lt::session_params metadata_session_params(const MetadataOptions& options)
{
    using lt::settings_pack;
    lt::session_params params = session_params(options.network, options.endpoints, Transport::plain);
    // libtorrent's own limits are 3 MiB and 2.5 million tokens: 40,000 extents.
    params.settings.set_int(settings_pack::max_metadata_size, static_cast<int>(metadata_limit(options)));
    params.settings.set_int(settings_pack::metadata_token_limit,
                            std::min(most_torrent_tokens, TorrentMemory(options.memory).most_tokens()));
    params.settings.set_int(settings_pack::max_piece_count, most_torrent_pieces);
    params.disk_io_constructor = lt::disabled_disk_io_constructor;
    return params;
}

lt::add_torrent_params metadata_torrent_params(const std::string& magnet, const MetadataOptions& options)
{
    lt::add_torrent_params params = parse_magnet(magnet);
    prepare_torrent(params, options.network);
    params.flags &= ~lt::torrent_flags::paused;
    // Upload mode: only the metadata is requested.
    params.flags |= lt::torrent_flags::upload_mode | lt::torrent_flags::apply_ip_filter;
    params.url_seeds.clear();
    limit_replies(params, metadata_limit(options), most_pieces(options), DataComes::as_blocks);
    prefer_tcp(params);
    return params;
}

// A torrent file around the info dictionary, whose bytes must stay unchanged for the info-hash.
std::string torrent_around(lt::span<const char> info, const lt::add_torrent_params& link)
{
    lt::entry::dictionary_type outer;
    if (!link.trackers.empty()) {
        outer["announce"] = link.trackers.front();
        lt::entry::list_type tiers;
        for (const std::string& tracker : link.trackers) {
            tiers.emplace_back(lt::entry::list_type{tracker});
        }
        outer["announce-list"] = tiers;
    }
    outer["info"] = lt::entry::preformatted_type(info.begin(), info.end());
    if (!link.url_seeds.empty()) {
        outer["url-list"] = lt::entry::list_type(link.url_seeds.begin(), link.url_seeds.end());
    }
    std::string torrent;
    lt::bencode(std::back_inserter(torrent), lt::entry(outer));
    return torrent;
}

class MetadataSession {
  public:
    MetadataSession(const std::string& magnet, const MetadataOptions& options, Reporter& reporter,
                    Wakeup& wakeup, Clock::time_point now)
        : m_link(parse_magnet(magnet)),
          m_session(std::make_shared<NetworkSession>(metadata_session_params(options),
                                                     [&wakeup] { wakeup.notify(); })),
          m_watch(options.endpoints, reporter), m_warnings(reporter)
    {
        auto params = metadata_torrent_params(magnet, options);
        m_watch.begin(options.network.peers.size(), static_cast<unsigned>(params.trackers.size()),
                      options.network.lsd, now);
        m_session->add_torrent(std::move(params));
        m_session->connect(options.endpoints.peers);
        if (options.network.lsd) {
            m_session->discover_locally(to_hex(m_link.info_hashes.v1), options.endpoints);
            m_session->announce_locally();
        }
    }

    // The torrent, or an empty string while it is not there yet.
    [[nodiscard]] std::string poll()
    {
        for (const SessionEvent& event : m_session->take_found(m_watch.reach(Clock::now()))) {
            std::visit([this](const auto& what) { handle(what); }, event);
        }
        std::string torrent;
        for (const lt::alert* alert : m_session->take_alerts()) {
            if (lt::alert_cast<lt::metadata_received_alert>(alert) != nullptr) {
                torrent = torrent_around(m_session->torrent().torrent_file()->info_section(), m_link);
            } else if (const auto* bad = lt::alert_cast<lt::metadata_failed_alert>(alert)) {
                m_warnings.tell("metadata from a peer cannot be used: " + bad->error.message());
            } else if (const auto event = to_event(*alert)) {
                std::visit([this](const auto& what) { handle(what); }, *event);
            }
        }
        return torrent;
    }

    // Ends the session. No other function may be called afterwards.
    [[nodiscard]] EndingSession end()
    {
        m_session->end();
        return std::move(m_session);
    }

    // Called about once a second.
    void look_around(Clock::time_point now)
    {
        m_watch.look(connected_peers(m_session->torrent()), now);
        m_session->connect(m_watch.missing_peers());
        const PeerWatch::Search search = m_watch.search(now);
        if (search != PeerWatch::Search::none) {
            m_session->announce_locally();
        }
        if (search == PeerWatch::Search::everywhere) {
            m_session->announce_to_trackers();
        }
    }

    [[nodiscard]] unsigned peers() const { return m_watch.peers(); }

    [[nodiscard]] std::string describe_wait() const
    {
        return peers() == 0 ? ezio::describe_wait(m_watch.facts())
                            : fmt::format("{} connected, but none has sent it", counted(peers(), "peer"));
    }

  private:
    void handle(const TorrentFailed&) {} // there is no data that could be wrong
    void handle(const PeerBanned&) {}
    void handle(const PeerMisbehaved& event)
    {
        if (const auto host = m_watch.handle(event)) {
            m_session->keep_out(*host);
        }
    }
    template <class Event>
    void handle(const Event& event)
    {
        m_watch.handle(event);
    }

    const lt::add_torrent_params m_link;
    std::shared_ptr<NetworkSession> m_session;
    PeerWatch m_watch;
    WarnOnce m_warnings;
};

// The message for the user after this time.
std::string no_metadata_for(milliseconds waited, const MetadataSession& session)
{
    return fmt::format("no metadata for the magnet link after {}: {}", format_duration(waited),
                       session.describe_wait());
}

std::string wait_for_metadata(MetadataSession& session, const MetadataOptions& options, Reporter& reporter,
                              Wakeup& wakeup, const StopSignal& stop, Clock::time_point started)
{
    StallNotes notes;
    reporter.note(describe_port(options.endpoints.listen));
    for (Clock::time_point looked = started;;) {
        wakeup.wait_for(metadata_tick);
        stop.throw_if_received();
        std::string torrent = session.poll();
        const Clock::time_point now = Clock::now();
        const auto waited = std::chrono::duration_cast<milliseconds>(now - started);
        if (!torrent.empty()) {
            reporter.note(fmt::format("the metadata arrived after {}", format_duration(waited)));
            return torrent;
        }
        if (now - looked >= peer_list_interval) {
            looked = now;
            session.look_around(now);
        }
        ProgressEvent progress;
        progress.phase = Phase::metadata;
        progress.seconds = std::chrono::duration<double>(waited).count();
        progress.peers = session.peers();
        reporter.progress(progress);
        if (options.patience && waited >= *options.patience) {
            throw Error(ExitStatus::stalled, no_metadata_for(*options.patience, session));
        }
        if (notes.observe(waited)) {
            reporter.note(no_metadata_for(std::chrono::floor<std::chrono::seconds>(waited), session));
        }
    }
}

} // namespace

Metadata fetch_metadata(const std::string& magnet, const MetadataOptions& options, Reporter& reporter,
                        Wakeup& wakeup, const StopSignal& stop, Deadline& deadline)
{
    const Clock::time_point started = Clock::now();
    MetadataSession session(magnet, options, reporter, wakeup, started);
    try {
        std::string torrent = wait_for_metadata(session, options, reporter, wakeup, stop, started);
        return {std::move(torrent), session.end()};
    } catch (const Error& error) {
        deadline.end(error);
        throw;
    }
}

} // namespace ezio
